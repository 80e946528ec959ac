// The table that the overlay writes and lcores read: peers, their sessions, paths and routes.
// One writer: every function here is called by the overlay thread alone. Lcores read it without
// locks and never through this interface; what is removed is freed once no lcore can see it.
// A simulation implements it with maps.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/error.hpp"
#include "engine/api/types.hpp"

namespace ipop::engine {

class ForwardingTable {
 public:
  virtual ~ForwardingTable() = default;

  // Fails when the table is full (its sizes are set at start).
  [[nodiscard]] virtual Result<PeerIndex> add_peer() = 0;
  // Removes its routes and sessions too.
  virtual void remove_peer(PeerIndex peer) = 0;

  // A receiver index for a handshake to offer. Datagrams for it are dropped until it is published.
  // Fails when all are in use.
  [[nodiscard]] virtual Result<ReceiverIndex> reserve_session() = 0;
  // From now on lcores open datagrams for `session.local`; they seal with it only after
  // use_session(). `session.local` must be reserved and not yet published.
  virtual void publish_session(const SessionSpec& session) = 0;
  // Reserved or published; its keys are wiped when no lcore uses them any more. If the peer was
  // sending with it, the peer sends with none.
  virtual void retire_session(ReceiverIndex session) = 0;

  // What lcores seal with for this peer, and a published session of that peer. Packets for a peer
  // that has none, or has no path, are staged and punted (PuntKind::kNeedSession).
  virtual void use_session(PeerIndex peer, ReceiverIndex session) = 0;
  // The same, but only from the moment on which something was opened with the session: for the
  // responder, who must not send before. Until then what was in use stays in use.
  virtual void use_session_once_confirmed(PeerIndex peer, ReceiverIndex session) = 0;
  // From then on no lane of ours has a port of its own.
  virtual void set_path(PeerIndex peer, const Path& path) = 0;
  virtual void set_lane_ports(PeerIndex peer, const LanePorts& ports) = 0;

  // Inner addresses that are reached through the peer, and that it may send from. The longest
  // prefix wins; a prefix belongs to one peer: it fails if another peer has it, or if full.
  [[nodiscard]] virtual Result<void> add_route(const Prefix& prefix, PeerIndex peer) = 0;
  virtual void remove_route(const Prefix& prefix, PeerIndex peer) = 0;

  // A label for others to write on what goes through us, or comes to us through a relay. Datagrams
  // with it are dropped until it is set. Fails when all are in use.
  [[nodiscard]] virtual Result<RelayLabel> reserve_label() = 0;
  // May be set again, with other peers. It follows their paths, and ends with the first of them
  // that is removed.
  virtual void set_label(RelayLabel label, const LabelSpec& spec) = 0;
  virtual void retire_label(RelayLabel label) = 0;
  [[nodiscard]] virtual LabelActivity label_activity(RelayLabel label) const = 0;
  // What may be passed on for others in all, in bits a second; 0 = no limit.
  virtual void set_relay_limit(std::uint64_t bits_per_s) = 0;

  [[nodiscard]] virtual SessionActivity activity(ReceiverIndex session) const = 0;
  [[nodiscard]] virtual PeerCounters counters(PeerIndex peer) const = 0;

  // Frees what no lcore can see any more. Cheap; call it now and then.
  virtual void reclaim() = 0;
};

}  // namespace ipop::engine
