#include "engine/path/host_batch.hpp"

#include "engine/path/inner_packet.hpp"
#include "engine/path/packet.hpp"

namespace ipop::engine {

void HostBatch::deliver(rte_mbuf* packet, const IpAddress& source) noexcept {
  grow_front(packet, kEthernetHeader);
  std::uint8_t* const header = data_of(packet);
  port_.write_ethernet(header, source);
  store_be(header + 12, source.is_v4() ? kEtherTypeIpv4 : kEtherTypeIpv6);
  frames_[count_++] = packet;
  if (count_ == kBurst) flush();
}

void HostBatch::flush() noexcept {
  if (count_ == 0) return;
  const std::uint16_t written = port_.tx_burst({frames_.data(), count_});
  if (written != 0) counters_.count(Fate::kDelivered, written);
  for (std::uint16_t i = written; i < count_; ++i) {
    counters_.drop(frames_[i], Fate::kDropHostFull);
  }
  count_ = 0;
}

}  // namespace ipop::engine
