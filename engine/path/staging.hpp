// Host packets that wait for a route or a session, in order per destination. Bounded in packets, in
// destinations and in time; a fixed structure, nothing is allocated after start. One lcore.
#pragma once

#include <rte_mbuf.h>

#include <array>
#include <cstdint>

#include "base/clock.hpp"
#include "base/ip.hpp"

namespace ipop::engine {

class Staging {
 public:
  static constexpr std::uint16_t kMaxPackets = 1024;
  static constexpr std::uint16_t kMaxDestinations = 256;
  static constexpr std::uint16_t kMaxPerDestination = 64;
  // Super-packets among them, whose buffers are large and few.
  static constexpr std::uint16_t kMaxSupers = 64;
  static constexpr Duration kPatience = std::chrono::seconds(5);
  // The overlay is asked again for a destination while packets wait, as rings may overflow.
  static constexpr Duration kAskEvery = std::chrono::milliseconds(250);
  // For all destinations that found no room together.
  static constexpr Duration kAskUnheldEvery = std::chrono::milliseconds(1);

  Staging() noexcept;
  // Frees what still waits.
  ~Staging();
  Staging(const Staging&) = delete;
  Staging& operator=(const Staging&) = delete;

  [[nodiscard]] std::uint16_t packets() const noexcept { return packets_; }
  // The same, each segment of a super-packet counted.
  [[nodiscard]] std::uint64_t wire_packets() const noexcept { return wire_packets_; }
  [[nodiscard]] bool holds(const IpAddress& destination) const noexcept {
    return packets_ != 0 && find(destination) != kNone;
  }

  // Takes the packet and returns true, or leaves it to the caller if there is no room.
  [[nodiscard]] bool push(rte_mbuf* packet, const IpAddress& destination, Instant now) noexcept;
  // The destination's oldest packet, or nullptr if none waits; it stays.
  [[nodiscard]] rte_mbuf* first(const IpAddress& destination) const noexcept;
  // The same; it is the caller's.
  [[nodiscard]] rte_mbuf* pop(const IpAddress& destination) noexcept;
  // The next packet that has waited too long, or nullptr.
  [[nodiscard]] rte_mbuf* pop_expired(Instant now) noexcept;
  // True at first, and then once every kAskEvery. Destinations that are not held, because there was
  // no room, share one true every kAskUnheldEvery.
  [[nodiscard]] bool should_ask(const IpAddress& destination, Instant now) noexcept;

  // Visits each destination held; it may be emptied by the visit.
  template <typename Visit>
  void for_each_destination(Visit visit) noexcept {
    if (packets_ == 0) return;
    for (const Destination& destination : destinations_) {
      if (destination.count == 0) continue;
      const IpAddress address = destination.address;
      visit(address);
    }
  }

 private:
  static constexpr std::uint16_t kNone = 0xffff;
  static constexpr std::size_t kBuckets = 512;

  struct Waiting {
    rte_mbuf* packet = nullptr;
    Instant since{};
    std::uint16_t next = kNone;  // behind it, of its destination; or in the free list
  };
  struct Destination {
    IpAddress address;
    Instant asked{};
    std::uint16_t first = kNone;
    std::uint16_t last = kNone;
    std::uint16_t count = 0;     // 0: free
    std::uint16_t next = kNone;  // in its bucket, or in the free list
  };

  [[nodiscard]] static std::size_t bucket_of(const IpAddress& address) noexcept;
  [[nodiscard]] std::uint16_t find(const IpAddress& destination) const noexcept;
  [[nodiscard]] std::uint16_t open(const IpAddress& destination) noexcept;
  void close(std::uint16_t index) noexcept;
  [[nodiscard]] rte_mbuf* pop_first(std::uint16_t index) noexcept;

  std::uint16_t packets_ = 0;
  std::uint16_t supers_ = 0;
  std::uint64_t wire_packets_ = 0;
  std::uint16_t free_waiting_ = 0;
  std::uint16_t free_destination_ = 0;
  Instant asked_unheld_{};
  std::array<Waiting, kMaxPackets> waiting_;
  std::array<Destination, kMaxDestinations> destinations_;
  std::array<std::uint16_t, kBuckets> buckets_;
};

}  // namespace ipop::engine
