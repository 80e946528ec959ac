// What this node does for others who cannot reach each other: grants labels, asks the next node for
// its own, and takes all back when a circuit ends. Packets themselves pass in the engine. Only
// members that we have verified are served. Overlay thread; time is passed in.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>

#include "overlay/peer/context.hpp"
#include "overlay/peer/message.hpp"
#include "overlay/peer/peer_table.hpp"

namespace ipop::overlay {

class RelayService {
 public:
  static constexpr std::size_t kMaxCircuits = 16'384;
  static constexpr std::size_t kMaxPerPeer = 256;  // that one peer asked for
  static constexpr Duration kOpenWithin = std::chrono::seconds(5);
  static constexpr Duration kIdleFor = std::chrono::minutes(3);
  static constexpr Duration kBrokenFor = std::chrono::seconds(10);
  static constexpr Duration kServiceEvery = std::chrono::seconds(1);

  // `on_want`: a peer wants to reach this node through us, and we have no session with it. Who
  // asked asks again.
  RelayService(Context& context, PeerTable& peers,
               std::function<void(engine::PeerIndex, const NodeId&)> on_want)
      : context_(context), peers_(peers), on_want_(std::move(on_want)) {}

  // An open whose circuit leads on to somebody else.
  void on_open(Peer& from, const message::RelayOpen& open, Instant now);
  // False: about none of our circuits.
  [[nodiscard]] bool on_opened(Peer& from, const message::RelayOpened& opened, Instant now);
  [[nodiscard]] bool on_closed(Peer& from, const message::RelayClosed& closed);
  // Before the peer is removed.
  void forget(const Peer& peer);
  // We no longer relay: both ends of each are told.
  void close_all();
  void service(Instant now);
  [[nodiscard]] Instant deadline() const noexcept { return next_service_; }

  [[nodiscard]] std::size_t circuits() const noexcept { return circuits_.size(); }
  // Passed on by circuits that are open and those that were.
  [[nodiscard]] engine::LabelActivity carried() const;

 private:
  // By the label that the near end writes.
  using Key = std::uint32_t;
  struct Circuit {
    engine::PeerIndex near = engine::kNoPeer;  // who asked us
    engine::PeerIndex far = engine::kNoPeer;   // whom we asked
    std::uint32_t near_label = 0;              // what they have chosen for what we send them
    std::uint32_t far_label = 0;               // 0: not known yet
    bool first = false;                        // the near end is who asked first
    bool last = false;                         // the far end is whom the circuit leads to
    // Where these were said to be.
    IpAddress near_seen;
    IpAddress far_seen;
    engine::RelayLabel from_far{};  // ours, for the far end to write
    Instant since{};
    Instant broken{};  // since when one end has no session with us; epoch: both have
  };

  [[nodiscard]] Peer* next_hop(const message::RelayOpen& open) const;
  [[nodiscard]] std::size_t asked_by(engine::PeerIndex peer) const;
  void refuse(const Peer& peer, std::uint32_t label, message::RelayCloseReason reason);
  void ask_next(const Peer& far, Circuit& circuit, const message::RelayOpen& open);
  void send(engine::PeerIndex to, const message::Message& message);
  void tell_of_moves(Key key, Circuit& circuit);
  void drop(Key key);
  void close(Key key, message::RelayCloseReason reason, const Peer* but);

  Context& context_;
  PeerTable& peers_;
  std::function<void(engine::PeerIndex asker, const NodeId&)> on_want_;
  std::unordered_map<Key, Circuit> circuits_;
  std::map<std::pair<engine::PeerIndex, std::uint32_t>, Key> by_near_;
  std::unordered_map<std::uint32_t, Key> by_from_far_;
  engine::LabelActivity past_;  // of circuits that are closed
  Instant next_service_{};
};

}  // namespace ipop::overlay
