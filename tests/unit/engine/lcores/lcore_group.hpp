// One node's engine with several lcores, without threads: each is turned by hand, between memory
// ports of its own. Two of them make a network.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "engine/engine.hpp"
#include "engine/lcore_state.hpp"
#include "engine/path/inject_rings.hpp"
#include "engine/path/punt_queues.hpp"
#include "engine/port/memory_port.hpp"
#include "tests/unit/engine/packets.hpp"

namespace ipop::engine {

struct GroupDatagram {
  unsigned lcore = 0;  // that sent it
  Endpoint endpoint;
  Bytes bytes;

  // Of a data datagram.
  [[nodiscard]] std::uint64_t counter() const { return load_le<std::uint64_t>(&bytes.at(8)); }
  [[nodiscard]] unsigned lane() const { return static_cast<unsigned>(counter() >> 56); }
};

class LcoreGroup {
 public:
  LcoreGroup(const Endpoint& at, unsigned count);
  // Expects that every buffer came back and that every packet has one fate.
  ~LcoreGroup();

  const Endpoint at;
  Instant now{std::chrono::hours(1)};

  void from_host(unsigned lcore, const Bytes& frame);
  void from_wire(unsigned lcore, const Bytes& bytes, const Endpoint& source);
  // Until this lcore has nothing left to take in.
  void turn(unsigned lcore);
  // All of them, until nothing is left that one gave another.
  void turn_all();
  [[nodiscard]] std::vector<Bytes> to_host(unsigned lcore);
  // Of all lcores, the first one's first.
  [[nodiscard]] std::vector<GroupDatagram> to_wire();
  [[nodiscard]] EngineCounters counters() const;
  [[nodiscard]] std::uint64_t count(Fate fate) const {
    return counters().fates[static_cast<std::size_t>(fate)];
  }
  [[nodiscard]] unsigned size() const { return static_cast<unsigned>(lcores_.size()); }
  [[nodiscard]] InjectRing& orders(unsigned lcore) { return lcores_[lcore]->orders; }
  [[nodiscard]] const Bell& bell(unsigned lcore) const { return lcores_[lcore]->bell; }
  [[nodiscard]] LcoreState& state(unsigned lcore) { return *lcores_[lcore]->state; }

 private:
  // Before all that allocates from EAL.
  struct Eal {
    Eal() { start_eal_for({}); }
  } eal_;
  struct Own {
    explicit Own(rte_mempool* pool) : punts(pool), orders(pool, bell) {}
    MemoryHostPort host;
    MemoryWirePort wire;
    Bell bell;
    PuntRing punts;
    InjectRing orders;
    std::unique_ptr<LcoreState> state;
  };
  [[nodiscard]] std::vector<std::unique_ptr<Own>> make(unsigned count) const;

 public:
  Mempool pool;
  Mempool supers;

 private:
  std::vector<std::unique_ptr<Own>> lcores_;

 public:
  DpdkForwardingTable table;
  PuntQueues punts;
  InjectRings injector;

 private:
  HandoverRings handover_;
};

// What two groups agree on: alice's peer is bob, 10.0.0.2, and the other way round.
struct GroupPair {
  GroupPair(unsigned alices, unsigned bobs, std::uint8_t lanes, bool with_session = true);
  // In both directions; used from now on.
  void renew(std::uint8_t lanes);

  LcoreGroup alice;
  LcoreGroup bob;
  PeerIndex bob_at_alice = kNoPeer;
  PeerIndex alice_at_bob = kNoPeer;
  ReceiverIndex alices_session = kNoReceiver;
  ReceiverIndex bobs_session = kNoReceiver;

  // UDP of alice to bob, of a flow, with a mark.
  [[nodiscard]] static Bytes frame(std::uint16_t flow, std::uint8_t mark = 0);
};

}  // namespace ipop::engine
