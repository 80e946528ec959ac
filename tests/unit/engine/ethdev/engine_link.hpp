// The whole engine at one end of the link of two rings, turned by hand. Its host's frames lie in
// buffers that the test knows, so that it can tell which of them leave. Its one peer, at 192.0.2.2,
// has the same keys and the same index, so that what was sent to it can be sent back.
#pragma once

#include <optional>
#include <vector>

#include "engine/engine.hpp"
#include "engine/lcore_state.hpp"
#include "ring_link.hpp"

namespace ipop::engine::testing {

// Frames come out of the buffers that were laid in; of those for the host it keeps where they lie.
class PointingHostPort final : public HostPort {
 public:
  void lay_in(rte_mbuf* frame) { waiting_.push_back(frame); }
  // Where the bytes of each frame began since the last call, behind its Ethernet header.
  [[nodiscard]] std::vector<const std::uint8_t*> taken() { return std::exchange(taken_, {}); }

  std::uint16_t rx_burst(const PacketPools& pools, std::span<rte_mbuf*> into) noexcept override;
  HostWritten tx_burst(std::span<const HostFrame> frames) noexcept override;
  [[nodiscard]] HostOffloads offloads() const noexcept override {
    return {.tcp = true, .udp = true};
  }
  std::size_t wait_fds(std::span<int, kMaxWaitFds>) const noexcept override { return 0; }
  [[nodiscard]] std::uint64_t neighbour_answered() const noexcept override { return 0; }

 private:
  std::vector<rte_mbuf*> waiting_;
  std::vector<const std::uint8_t*> taken_;
};

class EngineLink : public RingLink {
 protected:
  static constexpr const char* kPeer = "192.0.2.2";

  // The engine, whose peer's station has been met. `room`: frames that the link holds.
  void start(unsigned room = 255, bool partial_checksums = true);
  void TearDown() override;

  // An IPv4 packet of the host to the peer's inner address, or TCP segments of `each` bytes as one
  // super-packet. Laid in for the next turn.
  rte_mbuf* packet_of_host(std::size_t payload);
  rte_mbuf* super_of_host(std::size_t payload, std::uint16_t each);
  // Until nothing is left to take in.
  void turn();
  // What left, as it lies; the test's to free or to send back.
  [[nodiscard]] std::vector<rte_mbuf*> frames_left();
  // The same frame from the peer to us.
  void send_back(rte_mbuf* frame);

  [[nodiscard]] EngineCounters counters() const;
  [[nodiscard]] std::uint64_t fate(Fate fate) const {
    return counters().fates[static_cast<std::size_t>(fate)];
  }
  // Nothing is lost without a name.
  void expect_balance() const;
  // Takes every buffer that is left in the pool, but for some; or gives them back.
  void exhaust(std::size_t but_for = 0);
  void relieve();

  std::optional<Mempool> supers;
  // What the engine is made of.
  PointingHostPort host;
  std::optional<DpdkForwardingTable> table;
  std::optional<PuntRing> punts;
  Bell bell;
  std::optional<InjectRing> orders;
  std::optional<LcoreState> state;
  PeerIndex peer = kNoPeer;
  ReceiverIndex session = kNoReceiver;

 private:
  std::vector<rte_mbuf*> hoard_;
};

}  // namespace ipop::engine::testing
