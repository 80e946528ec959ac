// STUN messages from anybody: parsed, answered, and never believed unless asked for.
#include <cstdint>
#include <cstdlib>
#include <span>

#include "overlay/nat/discovery.hpp"

namespace {

using namespace ipop;
using namespace ipop::overlay;

// A server of ours may say what it likes.
void as_an_answer(ByteView input) {
  const Endpoint server{IpAddress::v4(0xc0000201), 3478};
  stun::Message asked;
  unsigned changes = 0;
  NatDiscovery nat([&](const Endpoint&, ByteView sent) { asked.assign(sent.begin(), sent.end()); },
                   [&](Instant) { ++changes; });
  const Instant now{std::chrono::hours(1)};
  nat.set_servers({server}, now);
  nat.service(now);
  stun::Message answer(input.begin(), input.end());
  if (answer.size() >= 20) std::copy(asked.begin() + 4, asked.begin() + 20, answer.begin() + 4);
  if (!stun::is_message(answer)) return;
  (void)nat.on_datagram(server, answer, now);
  if (nat.mappings().endpoints().size() > 2 || changes > 1) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  const bool is_message = stun::is_message(input);
  const auto request = stun::parse_request(input);
  const auto response = stun::parse_response(input);
  if (!is_message && (request || response)) std::abort();
  if (request && response) std::abort();
  if (request) {
    const stun::Message answer =
        stun::encode_response(*request, {IpAddress::v4(0xcb007105), 61000});
    if (answer.size() > size + 24 || !stun::parse_response(answer)) std::abort();
    const Endpoint source{IpAddress::v4(0xcb007105), 61000};
    const auto served = stun::Server(true).answer(source, input, Instant{std::chrono::hours(1)});
    if (!served || served->to.address != source.address || served->to.port == 0) std::abort();
  }
  as_an_answer(input);
  return 0;
}
