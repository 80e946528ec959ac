// One node's engine without threads, turned by hand at a time of the test's choosing, between two
// memory ports. Two of them and the wires between make a network.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "engine/engine.hpp"
#include "engine/lcore_state.hpp"
#include "engine/port/memory_port.hpp"
#include "tests/unit/engine/packets.hpp"
#include "tests/unit/engine/transport_packets.hpp"

namespace ipop::engine {

struct Datagram {
  Endpoint endpoint;  // out: where to; in: where from
  Bytes bytes;
  std::uint16_t segment_size = 0;  // not 0: a train
};

// A frame with its marks, as the host gave it or gets it.
struct MarkedFrame {
  Bytes bytes;
  FrameMarks marks;
};

// A super-packet or a packet of the host with a partial checksum, behind an Ethernet header.
[[nodiscard]] MarkedFrame marked_frame(const PacketSpec& spec, std::size_t segment_size = 0);

// A punt that keeps its bytes.
struct KeptPunt {
  Punt punt;
  Bytes bytes;
};

struct SmallSizes {
  static constexpr TableSizes kTable{.peers = 64, .sessions = 128, .hosts = 64, .prefixes = 64};
  static constexpr PoolSettings kPool{.packets = 2047};
  static constexpr PoolSettings kSupers{.packets = 127,
                                        .largest_packet = kSuperPool.largest_packet};
};

class EngineNode {
 public:
  explicit EngineNode(const Endpoint& at, const TableSizes& sizes = SmallSizes::kTable);
  // Expects that every buffer came back and that every packet has one fate.
  ~EngineNode();

  const Endpoint at;
  // Long after the clock's zero, as on any machine.
  Instant now{std::chrono::hours(1)};

  void from_host(const Bytes& frame);
  void from_host(const MarkedFrame& frame);
  void from_wire(const Bytes& bytes, const Endpoint& source, std::uint16_t segment_size = 0);
  // One turn moves at most a burst each way; this turns until nothing is left to take in.
  void turn();
  [[nodiscard]] std::vector<Bytes> to_host();
  [[nodiscard]] std::vector<MarkedFrame> to_host_marked();
  [[nodiscard]] std::vector<Datagram> to_wire();
  [[nodiscard]] std::vector<KeptPunt> punts();
  // Those of one kind, the others are lost.
  [[nodiscard]] std::vector<KeptPunt> punts(PuntKind kind);
  [[nodiscard]] EngineCounters counters() const;
  [[nodiscard]] std::uint64_t count(Fate fate) const {
    return counters().fates[static_cast<std::size_t>(fate)];
  }
  void expect_balance() const;

 private:
  // Before all that allocates from EAL.
  struct Eal {
    Eal() { start_eal_for({}); }
  } eal_;

 public:
  Mempool pool;
  Mempool supers;
  MemoryHostPort host;
  MemoryWirePort wire;
  DpdkForwardingTable table;
  PuntRing punt_ring;
  Bell bell;
  InjectRing orders;

 private:
  std::optional<LcoreState> state_;

 public:
  LcoreState& state() { return *state_; }
};

// What one end knows of the other.
struct PeerEnd {
  PeerIndex peer = kNoPeer;
  ReceiverIndex session = kNoReceiver;
};

struct Pairing {
  AeadSuite suite = AeadSuite::kAes256Gcm;
  SessionForm form = SessionForm::kIpop;
  std::uint16_t mtu = 1452;
  bool partial_checksums = false;
};

// Two nodes that have shaken hands: alice is 10.0.0.1 and fd00::1, bob 10.0.0.2 and fd00::2.
class EnginePair {
 public:
  explicit EnginePair(const Pairing& pairing = {});

  EngineNode alice{endpoint("192.0.2.1:4545")};
  EngineNode bob{endpoint("192.0.2.2:4545")};
  PeerEnd bob_at_alice;
  PeerEnd alice_at_bob;

  const IpAddress alice4 = ip("10.0.0.1");
  const IpAddress alice6 = ip("fd00::1");
  const IpAddress bob4 = ip("10.0.0.2");
  const IpAddress bob6 = ip("fd00::2");

  // A new session in both directions, which both use from now on.
  void renew(const Pairing& pairing, Duration lifetime = std::chrono::seconds(180));
  // Moves what is on the wire, until all is quiet.
  void exchange();
  void advance(Duration by);
};

// Hands what `from` sent to `to`, as it comes from `from.at`.
void carry(EngineNode& from, EngineNode& to);

}  // namespace ipop::engine
