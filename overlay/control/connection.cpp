#include "overlay/control/connection.hpp"

#include <asio/buffer.hpp>
#include <asio/error.hpp>
#include <asio/read_until.hpp>
#include <asio/write.hpp>
#include <nlohmann/json.hpp>
#include <utility>

#include "overlay/status_json.hpp"

namespace ipop::overlay::control {
namespace {

using Json = nlohmann::ordered_json;

Json reply_to_json(unsigned sequence, const PingReply& reply) {
  return {{"sequence", sequence},
          {"answered", reply.rtt_ms.has_value()},
          {"rtt_ms", reply.rtt_ms ? Json(*reply.rtt_ms) : Json(nullptr)},
          {"path", name(reply.path)},
          {"endpoint", reply.endpoint},
          {"relay_via", reply.relay_via},
          {"why", reply.why}};
}

template <typename... Cases>
struct Overloaded : Cases... {
  using Cases::operator()...;
};
// clang before 17 does not make this guide by itself.
template <typename... Cases>
Overloaded(Cases...) -> Overloaded<Cases...>;

}  // namespace

Connection::Connection(Socket socket, const std::string& version, const Handlers& handlers,
                       const ServerLimits& limits, Closed closed)
    : socket_(std::move(socket)),
      idle_(socket_.get_executor()),
      version_(version),
      handlers_(handlers),
      limits_(limits),
      closed_(std::move(closed)) {}

void Connection::start() {
  restart_idle_timer();
  read_request();
}

void Connection::refuse(const std::string& why) {
  restart_idle_timer();
  hang_up_ = true;
  answer_error(why);
}

void Connection::close() {
  if (!open_) return;
  open_ = false;
  then_ = nullptr;
  idle_.cancel();
  std::error_code ignored;
  socket_.close(ignored);
  closed_(*this);
}

// The client is gone or does not keep to the limits. What it ordered before still happens.
void Connection::give_up() {
  const auto then = std::exchange(then_, nullptr);
  close();
  if (then) then();
}

void Connection::read_request() {
  asio::async_read_until(
      socket_, asio::dynamic_buffer(input_, limits_.request_bytes), '\n',
      [self = shared_from_this()](const std::error_code& error, std::size_t length) {
        if (!self->open_) return;
        if (error == asio::error::not_found) {
          return self->refuse("the request is longer than " +
                              std::to_string(self->limits_.request_bytes) + " bytes");
        }
        if (error) return self->give_up();
        const std::string line = self->input_.substr(0, length - 1);
        self->input_.erase(0, length);
        self->restart_idle_timer();
        self->handle(line);
      });
}

void Connection::handle(std::string_view line) {
  finished_ = false;
  const auto request = parse_request(line);
  if (!request) return answer_error(request.error().message);
  perform(*request);
}

void Connection::perform(const Request& request) {
  std::visit(Overloaded{
                 [&](const StatusRequest&) { answer(to_json(handlers_.status())); },
                 [&](const VersionRequest&) {
                   answer({{"version", version_}});
                 },
                 [&](const StopRequest&) {
                   then_ = handlers_.stop;
                   answer(Json::object());
                 },
                 [&](const ReloadRequest&) {
                   const auto report = handlers_.reload();
                   if (!report) return answer_error(report.error().message);
                   answer({{"applied", report->applied}, {"needs_restart", report->needs_restart}});
                 },
                 [&](const PeerRequest& peer) {
                   const auto status = handlers_.peer(peer.who);
                   if (!status) return answer_error(status.error().message);
                   answer(to_json(*status));
                 },
                 [&](const PingRequest& ping) { start_ping(ping); },
             },
             request);
}

void Connection::start_ping(const PingRequest& request) {
  ++ping_serial_;
  ping_count_ = request.count;
  ping_sent_ = 0;
  ping_answered_ = 0;
  handlers_.ping(request,
                 [weak = weak_from_this(), serial = ping_serial_](const Result<PingReply>& reply) {
                   const auto self = weak.lock();
                   return self != nullptr && self->take_ping_reply(serial, reply);
                 });
}

bool Connection::take_ping_reply(unsigned serial, const Result<PingReply>& reply) {
  if (!open_ || serial != ping_serial_ || ping_count_ == 0) return false;
  restart_idle_timer();
  if (!reply) {
    ping_count_ = 0;
    finished_ = true;
    send({{"ok", false}, {"done", true}, {"error", reply.error().message}});
    return false;
  }
  ++ping_sent_;
  if (reply->rtt_ms) ++ping_answered_;
  send({{"ok", true}, {"result", reply_to_json(ping_sent_, *reply)}});
  if (open_ && ping_sent_ == ping_count_) {
    ping_count_ = 0;
    finished_ = true;
    send({{"ok", true},
          {"done", true},
          {"result", {{"sent", ping_sent_}, {"answered", ping_answered_}}}});
  }
  return open_ && ping_count_ != 0;
}

void Connection::answer(Json result) {
  finished_ = true;
  send({{"ok", true}, {"result", std::move(result)}});
}

void Connection::answer_error(const std::string& message) {
  finished_ = true;
  send({{"ok", false}, {"error", message}});
}

void Connection::send(const Json& object) {
  std::string text = to_text(object) + '\n';
  if (output_bytes_ + text.size() > limits_.answer_bytes) {
    if (output_bytes_ != 0) return give_up();
    text = R"({"ok":false,"error":"the answer is larger than this socket carries"})"
           "\n";
  }
  output_bytes_ += text.size();
  output_.push_back(std::move(text));
  if (output_.size() == 1) write_next();
}

void Connection::write_next() {
  asio::async_write(socket_, asio::buffer(output_.front()),
                    [self = shared_from_this()](const std::error_code& error, std::size_t) {
                      if (!self->open_) return;
                      if (error) return self->give_up();
                      self->output_bytes_ -= self->output_.front().size();
                      self->output_.pop_front();
                      self->restart_idle_timer();
                      if (!self->output_.empty()) return self->write_next();
                      if (self->hang_up_) return self->give_up();
                      if (self->finished_) self->finish_request();
                    });
}

void Connection::finish_request() {
  finished_ = false;
  if (const auto then = std::exchange(then_, nullptr)) then();
  if (open_) read_request();
}

void Connection::restart_idle_timer() {
  idle_.expires_after(limits_.idle);
  idle_.async_wait([weak = weak_from_this()](const std::error_code& error) {
    if (error) return;
    if (const auto self = weak.lock(); self != nullptr && self->open_) self->give_up();
  });
}

}  // namespace ipop::overlay::control
