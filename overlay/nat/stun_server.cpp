#include "overlay/nat/stun_server.hpp"

namespace ipop::overlay::stun {

std::optional<Message> Server::answer(const Endpoint& source, ByteView datagram, Instant now) {
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    in_second_ = 0;
  }
  if (in_second_ >= kPerSecond || !sources_.allow(source.address, now)) {
    ++counters_.limited;
    return std::nullopt;
  }
  const auto request = parse_request(datagram);
  if (!request) {
    ++counters_.malformed;
    return std::nullopt;
  }
  ++in_second_;
  ++counters_.answered;
  return encode_response(*request, source);
}

}  // namespace ipop::overlay::stun
