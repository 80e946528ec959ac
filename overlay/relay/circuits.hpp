// Our own ends of circuits through relays: those that we asked for, and those that others asked to
// lead to us. An open circuit is one more endpoint at which a node can be reached. Overlay thread;
// time is passed in.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "overlay/peer/context.hpp"
#include "overlay/peer/message.hpp"
#include "overlay/peer/peer_table.hpp"

namespace ipop::overlay {

struct Circuit {
  NodeId remote;            // whom it leads to, as the relay says: proved by the handshake alone
  std::vector<NodeId> via;  // relays behind the first, the nearest first
  engine::PeerIndex relay = engine::kNoPeer;
  engine::RelayLabel local{};  // ours: what the relay writes
  std::uint32_t label = 0;     // the relay's: what we write; 0: not open yet
  bool asked = false;          // by us
  IpAddress seen;              // where its relay sees the remote; :: if it did not say
  Endpoint endpoint;           // where to send; port 0: not open, or the relay's path is not known
  Instant since{};
  Instant next_try{};
  unsigned tries = 0;
};

class Circuits {
 public:
  static constexpr std::size_t kMost = 4096;
  static constexpr std::size_t kMostFrom = 1024;  // through one relay
  static constexpr std::size_t kMostTo = 4;       // to one node
  static constexpr unsigned kTries = 5;
  static constexpr Duration kServiceEvery = std::chrono::milliseconds(100);

  // `on_refused`: the relay does not relay for us, or does not answer.
  // `on_change`: the endpoints of a node are others now; the second is the one that was, if it had
  // one, and what it is now.
  using OnChange =
      std::function<void(const NodeId& remote, const Endpoint& was, const Endpoint& is)>;
  using OnRefused = std::function<void(engine::PeerIndex relay)>;
  Circuits(Context& context, PeerTable& peers, OnChange on_change, OnRefused on_refused)
      : context_(context),
        peers_(peers),
        on_change_(std::move(on_change)),
        on_refused_(std::move(on_refused)) {}

  // Asks `relay`, a peer with a session, for a way to `remote`. Nothing happens if there is one.
  void ask(const Peer& relay, const NodeId& remote, std::vector<NodeId> via, Instant now);
  // An open that ends here.
  void on_open(Peer& relay, const message::RelayOpen& open, Instant now);
  // False: about none of our circuits.
  [[nodiscard]] bool on_opened(Peer& relay, const message::RelayOpened& opened, Instant now);
  [[nodiscard]] bool on_closed(Peer& relay, const message::RelayClosed& closed);
  // Before the relay is removed, or when it is known to be gone.
  void forget(const Peer& relay);
  // No longer wanted: the relay is told.
  void close(engine::RelayLabel local);
  void close_all();
  // Asks again, gives up, follows relays that moved.
  void service(Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;

  [[nodiscard]] std::vector<const Circuit*> to(const NodeId& remote) const;
  [[nodiscard]] const Circuit* at(const Endpoint& endpoint) const;
  // When something last came by it; epoch = never.
  [[nodiscard]] Instant last_heard(const Circuit& circuit) const;
  [[nodiscard]] const std::vector<Circuit>& all() const noexcept { return circuits_; }

 private:
  [[nodiscard]] Circuit* find(engine::PeerIndex relay, engine::RelayLabel local);
  void send(const Circuit& circuit, const message::Message& message);
  void send_open(Circuit& circuit, Instant now);
  void set_endpoint(Circuit& circuit);
  void make_room_for(const NodeId& remote);
  void drop(std::size_t at);

  Context& context_;
  PeerTable& peers_;
  OnChange on_change_;
  OnRefused on_refused_;
  std::vector<Circuit> circuits_;
  Instant next_service_{};
};

}  // namespace ipop::overlay
