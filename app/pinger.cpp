#include "app/pinger.hpp"

#include <utility>

namespace ipop::app {
namespace {

constexpr auto kInterval = std::chrono::seconds(1);

overlay::control::PingReply to_reply(const overlay::PingResult& result) {
  overlay::control::PingReply reply;
  if (result.answered) {
    reply.rtt_ms = static_cast<double>(result.rtt.count()) / 1e6;
    reply.path = result.path;
    reply.endpoint = result.endpoint.bare().to_string();
    reply.relay_via = result.relay_via;
  } else {
    reply.why = result.error;
  }
  return reply;
}

}  // namespace

void Pinger::start(asio::io_context& io, overlay::Overlay& overlay,
                   const overlay::control::PingRequest& request, overlay::control::PingSink sink) {
  std::make_shared<Pinger>(io, overlay, request, std::move(sink))->send();
}

Pinger::Pinger(asio::io_context& io, overlay::Overlay& overlay,
               const overlay::control::PingRequest& request, overlay::control::PingSink sink)
    : overlay_(overlay),
      timer_(io),
      address_(request.address),
      left_(request.count),
      sink_(std::move(sink)) {}

void Pinger::send() {
  if (left_ == 0) return;
  --left_;
  timer_.expires_after(kInterval);
  overlay_.ping(
      address_, read_clock(),
      [self = shared_from_this()](const overlay::PingResult& result) { self->on_result(result); });
}

void Pinger::on_result(const overlay::PingResult& result) {
  if (!sink_(to_reply(result)) || left_ == 0) return;
  timer_.async_wait([self = shared_from_this()](const std::error_code& error) {
    if (!error) self->send();
  });
}

}  // namespace ipop::app
