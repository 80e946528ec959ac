// Packets as a peer or a host may send them, through both gates of a firewall: nothing is read
// beyond a packet, what one lcore took for the same flow as the packet before is judged the same
// alone, and flows stay within their bounds.
#include <algorithm>
#include <cstdlib>
#include <vector>

#include "engine/firewall/gate.hpp"

namespace {

using namespace ipop;
using namespace ipop::engine;
using namespace ipop::engine::firewall;

void require(bool right) {
  if (!right) std::abort();
}

conf::Firewall rules() {
  conf::Firewall rules{.max_flows = 1024};
  rules.inbound = {{.action = conf::FirewallAction::kAllow, .ports = {{0, 32767}}},
                   {.action = conf::FirewallAction::kAllow,
                    .protocols = {conf::kIcmpOfEither},
                    .icmp_types = {conf::kEchoOfEither}}};
  rules.default_inbound = conf::FirewallAction::kDeny;
  return rules;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static Firewall firewall(1);
  if (firewall.rules() == nullptr) static_cast<void>(firewall.publish(firewall.prepare(rules())));
  const StampedMarks marks{.generation = firewall.rules()->generation, .stamp = 1, .marks = {}};
  const Instant now(std::chrono::hours(1));
  // Several packets: a byte for the direction, two for the length, then its bytes.
  while (size > 3) {
    const Direction direction = (data[0] & 1) == 0 ? Direction::kIn : Direction::kOut;
    const std::size_t length = std::min<std::size_t>(load_le<std::uint16_t>(data + 1), size - 3);
    const std::vector<std::uint8_t> copy(data + 3, data + 3 + length);
    data += 3 + length;
    size -= 3 + length;
    // Only the bytes that its header speaks of are shown to the firewall.
    const ByteView packet(copy);
    const unsigned version = copy.empty() ? 0 : copy[0] >> 4;
    if (version != 4 && version != 6) continue;
    Gate gate(firewall, 0, direction);
    gate.begin_burst(now);
    const Fate first = gate.judge(packet, marks, 1);
    require(first == Fate::kSent || is_drop(first));
    if (gate.continues(packet.data(), static_cast<std::uint32_t>(packet.size()), marks.stamp)) {
      require(first == Fate::kSent);
      require(gate.judge(packet, marks, 1) == Fate::kSent);
    }
    gate.end_burst();
  }
  return 0;
}
