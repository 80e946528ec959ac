#include "overlay/nat/stun_server.hpp"

namespace ipop::overlay::stun {

std::optional<Server::Answer> Server::answer(const Endpoint& source, ByteView datagram,
                                             Instant now) {
  if (now - second_ >= std::chrono::seconds(1)) {
    second_ = now;
    in_second_ = 0;
  }
  if (in_second_ >= kPerSecond || !sources_.allow(source.address, now)) {
    ++counters_.limited;
    return std::nullopt;
  }
  auto request = parse_request(datagram);
  if (!request) {
    ++counters_.malformed;
    return std::nullopt;
  }
  ++in_second_;
  ++counters_.answered;
  const bool other_port = request->by.from_other_port && source.address.is_v4();
  if (request->by.from_other_port && !(other_port && other_port_))
    request->not_known.push_back(kChangeRequest);
  // Who is refused hears it where it asks.
  if (!request->not_known.empty()) return Answer{encode_response(*request, source), source};
  Endpoint to = source;
  if (request->by.response_port != 0) to.port = request->by.response_port;
  return Answer{encode_response(*request, source), to, other_port};
}

}  // namespace ipop::overlay::stun
