// All that one lcore owns, and one turn of its work: orders of the overlay, a burst from the host,
// a burst from the wire, and what leaves by both. It reads no clock, does not wait and knows no
// threads: the loop around it does (lcore.hpp), and tests turn it by hand.
#pragma once

#include <cstdint>
#include <memory>

#include "engine/aead/aead.hpp"
#include "engine/lcore_counters.hpp"
#include "engine/path/decap.hpp"
#include "engine/path/encap.hpp"
#include "engine/path/host_answers.hpp"
#include "engine/path/host_batch.hpp"
#include "engine/path/inject_ring.hpp"
#include "engine/path/punt_ring.hpp"
#include "engine/path/relay.hpp"
#include "engine/path/wire_batch.hpp"
#include "engine/port/port.hpp"
#include "engine/table/dpdk_forwarding_table.hpp"

namespace ipop::engine {

class LcoreState {
 public:
  // All outlive this.
  struct Parts {
    HostPort& host;
    WirePort& wire;
    PacketPools pools;
    TableReader table;
    PuntRing& punts;
    InjectRing& orders;
    LaneShare share{};
    Handover handover{};
  };

  LcoreState(const Parts& parts, std::unique_ptr<AeadEngine> aead);

  // Returns how many packets and orders it took in. Does not allocate.
  std::uint32_t turn(Instant now) noexcept;
  // Expiry, and asking again: each kHousekeeping turns by itself, and by the loop when it wakes.
  void tick(Instant now) noexcept;
  // The last turn: orders are carried out, what is staged is dropped.
  void finish(Instant now) noexcept;
  // When all lcores have finished, from any thread: nobody takes what they handed each other.
  void drop_handed_over() noexcept;

  // The last turn that took anything took super-packets or trains.
  [[nodiscard]] bool had_bulk() const noexcept { return had_bulk_; }
  [[nodiscard]] bool has_staged() const noexcept { return encap_.has_staged(); }
  // Something came from another thread that no turn has seen.
  [[nodiscard]] bool has_waiting() const noexcept { return !orders_.empty() || !handover_.empty(); }
  [[nodiscard]] const LcoreCounters& counters() const noexcept { return counters_; }
  [[nodiscard]] const AeadEngine& aead() const noexcept { return *aead_; }

 private:
  static constexpr std::uint32_t kHousekeeping = 256;

  [[nodiscard]] std::uint32_t take_orders(Instant now) noexcept;
  // Frames of the host, or of other lcores. Returns how many.
  [[nodiscard]] std::uint32_t take_frames(std::uint64_t& packets, Instant now) noexcept;
  void carry_out(const Order& order, Instant now) noexcept;
  void send_sealed(const Order& order, Instant now) noexcept;
  void flush() noexcept;

  HostPort& host_port_;
  WirePort& wire_port_;
  PacketPools pools_;
  TableReader table_;
  PuntRing& punts_;
  InjectRing& orders_;
  LaneShare share_;
  Handover handover_;
  std::unique_ptr<AeadEngine> aead_;

  LcoreCounters counters_;
  WireBatch wire_;
  HostBatch host_;
  Relay relay_;
  HostAnswers answers_;
  Encap encap_;
  Decap decap_;
  std::uint32_t turns_ = 0;
  bool had_bulk_ = false;
};

}  // namespace ipop::engine
