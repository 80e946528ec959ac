// The relays that this node can be reached through, its homes: found in the directory, taken by who
// answers first, kept by pings, replaced when they are gone. And where we relay ourselves, our
// place in that directory. Overlay thread; time is passed in.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "overlay/peer/context.hpp"
#include "overlay/peer/liveness_monitor.hpp"
#include "overlay/peer/peer_table.hpp"

namespace ipop::overlay {

class RelayKeeper {
 public:
  static constexpr std::size_t kHomes = 2;
  // Of the directory. Each holds a few relays, so that no place in it grows with the network.
  static constexpr std::uint8_t kBuckets = 4;
  static constexpr std::size_t kMostInBucket = 16;

  struct Calls {
    std::function<Peer*(const NodeRecord&)> learn;  // the peer that a record is about, or nullptr
    std::function<void(Peer&)> connect;
    std::function<bool(bool v4)> has_family;  // we have addresses of it
    std::function<NodeRecord()> own_record;
    std::function<void()> on_homes;      // hints() is another
    std::function<void(Peer&)> on_lost;  // a relay that was kept does not answer
  };
  RelayKeeper(Context& context, PeerTable& peers, LivenessMonitor& liveness, Calls calls);

  // Whether homes are wanted all the time: others cannot reach us without. `lacks_ipv4`: rather
  // those that have it.
  void set_wanted(bool wanted, bool lacks_ipv4, Now now);
  // No more of them, whatever was wanted: the node is to do without relays.
  void leave_homes();
  // They are now, for a peer that cannot be reached otherwise.
  void want_now(Now now);
  // Whether we relay.
  void set_serving(bool serving, Now now);
  // A relay that circuits lead through: kept like a home as long as it is said again every minute.
  void use(Peer& relay, Instant now);
  // Something does not come through: are they still there, and do they know where we are?
  void check(Instant now);
  // It does not do what it says: not taken for a home for some minutes.
  void shun(engine::PeerIndex relay, Instant now);
  // Before the peer is removed.
  void forget(Peer& peer);
  void service(Now now);
  [[nodiscard]] Instant deadline() const noexcept { return next_service_; }
  void withdraw();

  [[nodiscard]] const std::vector<engine::PeerIndex>& homes() const noexcept { return homes_; }
  [[nodiscard]] std::vector<RelayHint> hints() const;
  [[nodiscard]] bool is_home(engine::PeerIndex peer) const;
  // It can relay for us now.
  [[nodiscard]] static bool usable(const Peer& peer) {
    return peer.connected() && peer.authorised && peer.admits_us && peer.relays && peer.path &&
           !peer.is_relayed();
  }

 private:
  struct Kept {
    engine::PeerIndex peer = engine::kNoPeer;
    Instant used{};  // the last time that a circuit needed it
    Instant pinged{};
    unsigned unanswered = 0;
  };

  Kept& keep(Peer& peer, Instant now);
  void choose_homes(Instant now);
  void call_some(Instant now);
  void ping_kept(Instant now);
  void ping(Kept& kept, Peer& peer, Instant now);
  void lose(engine::PeerIndex index);
  void look_up(std::uint8_t bucket, Now now);
  void look_for_relays(Now now);
  void publish(Now now);
  void on_listed(std::uint8_t bucket, ByteView value);
  void on_looked_up();

  Context& context_;
  PeerTable& peers_;
  LivenessMonitor& liveness_;
  Calls calls_;
  bool wanted_ = false;
  bool lacks_ipv4_ = false;
  bool serving_ = false;
  Instant wanted_until_{};
  std::vector<engine::PeerIndex> homes_;
  std::vector<Kept> kept_;
  std::map<std::uint64_t, NodeRecord> found_;  // by lookups under way: the nearest to our own id
  std::size_t looking_ = 0;                    // lookups under way
  std::vector<NodeId> listed_;                 // relays that the directory named, bounded
  std::set<NodeId> neighbours_;                // in our own bucket, at the last look
  unsigned lookups_ = 0;                       // since homes were complete
  Instant next_lookup_{};
  Instant next_publish_{};
  Instant next_service_{};
  Now last_now_;
  std::shared_ptr<RelayKeeper*> self_ = std::make_shared<RelayKeeper*>(this);
};

}  // namespace ipop::overlay
