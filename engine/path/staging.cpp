#include "engine/path/staging.hpp"

#include <functional>

#include "engine/path/packet.hpp"

namespace ipop::engine {

Staging::Staging() noexcept {
  buckets_.fill(kNone);
  for (std::uint16_t i = 0; i + 1 < kMaxPackets; ++i) {
    waiting_[i].next = static_cast<std::uint16_t>(i + 1);
  }
  for (std::uint16_t i = 0; i + 1 < kMaxDestinations; ++i) {
    destinations_[i].next = static_cast<std::uint16_t>(i + 1);
  }
}

Staging::~Staging() {
  for_each_destination([this](const IpAddress& destination) {
    while (rte_mbuf* const packet = pop(destination))
      rte_pktmbuf_free(packet);
  });
}

std::size_t Staging::bucket_of(const IpAddress& address) noexcept {
  // The hash's low bits know little of an address's last ones, which tell neighbours apart.
  constexpr std::uint64_t kGolden = 0x9e3779b97f4a7c15;
  return ((std::hash<IpAddress>{}(address)*kGolden) >> 32) % kBuckets;
}

std::uint16_t Staging::find(const IpAddress& destination) const noexcept {
  std::uint16_t index = buckets_[bucket_of(destination)];
  while (index != kNone && destinations_[index].address != destination) {
    index = destinations_[index].next;
  }
  return index;
}

std::uint16_t Staging::open(const IpAddress& destination) noexcept {
  const std::uint16_t index = free_destination_;
  if (index == kNone) return kNone;
  free_destination_ = destinations_[index].next;
  std::uint16_t& bucket = buckets_[bucket_of(destination)];
  destinations_[index] = {.address = destination, .next = bucket};
  bucket = index;
  return index;
}

void Staging::close(std::uint16_t index) noexcept {
  std::uint16_t* link = &buckets_[bucket_of(destinations_[index].address)];
  while (*link != index)
    link = &destinations_[*link].next;
  *link = destinations_[index].next;
  destinations_[index].next = free_destination_;
  free_destination_ = index;
}

bool Staging::push(rte_mbuf* packet, const IpAddress& destination, Instant now) noexcept {
  const bool super = packet->tso_segsz != 0;
  if (free_waiting_ == kNone || (super && supers_ == kMaxSupers)) return false;
  std::uint16_t index = find(destination);
  if (index == kNone) index = open(destination);
  if (index == kNone || destinations_[index].count == kMaxPerDestination) return false;
  Destination& queue = destinations_[index];

  const std::uint16_t place = free_waiting_;
  free_waiting_ = waiting_[place].next;
  waiting_[place] = {.packet = packet, .since = now, .next = kNone};
  if (queue.count == 0) {
    queue.first = place;
  } else {
    waiting_[queue.last].next = place;
  }
  queue.last = place;
  ++queue.count;
  ++packets_;
  supers_ = static_cast<std::uint16_t>(supers_ + super);
  wire_packets_ += packet_count(packet);
  return true;
}

rte_mbuf* Staging::pop_first(std::uint16_t index) noexcept {
  Destination& queue = destinations_[index];
  const std::uint16_t place = queue.first;
  rte_mbuf* const packet = waiting_[place].packet;
  queue.first = waiting_[place].next;
  waiting_[place].next = free_waiting_;
  free_waiting_ = place;
  --packets_;
  supers_ = static_cast<std::uint16_t>(supers_ - (packet->tso_segsz != 0));
  wire_packets_ -= packet_count(packet);
  if (--queue.count == 0) close(index);
  return packet;
}

rte_mbuf* Staging::first(const IpAddress& destination) const noexcept {
  const std::uint16_t index = packets_ == 0 ? kNone : find(destination);
  return index == kNone ? nullptr : waiting_[destinations_[index].first].packet;
}

rte_mbuf* Staging::pop(const IpAddress& destination) noexcept {
  const std::uint16_t index = find(destination);
  return index == kNone ? nullptr : pop_first(index);
}

rte_mbuf* Staging::pop_expired(Instant now) noexcept {
  for (std::uint16_t index = 0; packets_ != 0 && index < kMaxDestinations; ++index) {
    const Destination& queue = destinations_[index];
    if (queue.count != 0 && now - waiting_[queue.first].since >= kPatience) {
      return pop_first(index);
    }
  }
  return nullptr;
}

bool Staging::should_ask(const IpAddress& destination, Instant now) noexcept {
  const std::uint16_t index = find(destination);
  Instant& asked = index == kNone ? asked_unheld_ : destinations_[index].asked;
  const Duration every = index == kNone ? kAskUnheldEvery : kAskEvery;
  if (asked != Instant{} && now - asked < every) return false;
  asked = now;
  return true;
}

}  // namespace ipop::engine
