#include "engine/firewall/recent_flows.hpp"

#include <sys/mman.h>

#include <new>

namespace ipop::engine::firewall {

RecentFlows::RecentFlows() {
  // Comes page by page as it is touched: without rules, never.
  void* const at = mmap(nullptr, kMost * sizeof(Flow), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  flows_ = static_cast<Flow*>(at);
  last_ = flows_;
}

RecentFlows::~RecentFlows() {
  munmap(flows_, kMost * sizeof(Flow));
}

void RecentFlows::remember(ByteView packet, const PacketFacts& facts, std::uint32_t stamp,
                           std::uint16_t rule) noexcept {
  const bool tcp = facts.protocol == kTcp && (facts.tcp_flags & kTurns) == 0;
  if (!facts.is_plain || (!tcp && facts.protocol != kUdp)) return;
  Flow* const flow = places_of(packet.data(), static_cast<std::uint32_t>(packet.size()));
  if (flow == nullptr) return;
  // The newer one comes first.
  if (flow->epoch == epoch_) flow[1] = *flow;
  const bool v4 = facts.remote.is_v4();
  const std::uint32_t start = v4 ? 20 : 40;
  *flow = {.stamp = stamp,
           .epoch = epoch_,
           .ports = load<std::uint32_t>(&packet[start]),
           .least = start + (tcp ? 20 : 8),
           .rule = rule,
           .first = packet[0],
           .protocol = facts.protocol};
  if (v4) {
    flow->ends[0] = load<std::uint64_t>(&packet[12]);
    flow->ends[1] = load<std::uint64_t>(&packet[4]);
  } else {
    for (unsigned i = 0; i < 4; ++i)
      flow->ends[i] = load<std::uint64_t>(&packet[8 + 8 * i]);
  }
  last_ = flow;
}

void RecentFlows::forget(ByteView packet) noexcept {
  Flow* const flow = places_of(packet.data(), static_cast<std::uint32_t>(packet.size()));
  if (flow == nullptr) return;
  const bool v4 = packet[0] >> 4 == 4;
  const std::uint8_t* const ends = &packet[v4 ? 12 : 8];
  const auto ports = load<std::uint32_t>(&packet[v4 ? 20 : 40]);
  for (Flow* const one : {flow, flow + 1}) {
    const std::size_t size = v4 ? 8 : 32;
    if (one->ports == ports && std::memcmp(one->ends, ends, size) == 0) one->epoch = 0;
  }
}

}  // namespace ipop::engine::firewall
