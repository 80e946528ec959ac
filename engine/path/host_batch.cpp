#include "engine/path/host_batch.hpp"

#include "engine/path/packet.hpp"

namespace ipop::engine {

bool HostBatch::deliver(std::uint8_t* packet, const InnerPacket& inner, Transport transport,
                        bool partial) noexcept {
  if (frames_.full()) [[unlikely]]
    flush();
  return frames_.add(packet, inner, transport, partial);
}

void HostBatch::answer(rte_mbuf* packet, const InnerPacket& inner) noexcept {
  if (frames_.full() || own_count_ == own_.size()) flush();
  own_[own_count_++] = packet;
  frames_.add(data_of(packet), inner, {}, false);
}

void HostBatch::flush() noexcept {
  if (frames_.empty()) return;
  const std::span<const HostFrame> frames = frames_.finish();
  const auto [delivered, refused] = port_.tx_burst(frames);
  if (delivered != 0) counters_.count(Fate::kDelivered, delivered);
  if (refused != 0) counters_.count(Fate::kDropHostFull, refused);
  frames_.clear();
  if (own_count_ != 0) rte_pktmbuf_free_bulk(own_.data(), own_count_);
  own_count_ = 0;
}

}  // namespace ipop::engine
