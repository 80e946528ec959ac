// Drives handshakes: sends initiations to every place a peer may be, again until answered; answers
// initiations; turns both into sessions in the forwarding table. Knows nothing of membership: what
// a new session means is its caller's business. Overlay thread; time is passed in.
#pragma once

#include <optional>
#include <vector>

#include "overlay/handshake/cookie.hpp"
#include "overlay/handshake/load.hpp"
#include "overlay/handshake/source_limiter.hpp"
#include "overlay/peer/context.hpp"
#include "overlay/peer/peer_table.hpp"

namespace ipop::overlay {

class Handshaker {
 public:
  Handshaker(Context& context, PeerTable& peers);
  // Plain WireGuard's messages are malformed to us until there is a peer that speaks it.
  void listen_to_wireguard();

  // Begins a handshake, unless one is in progress. Does nothing for a peer that can be reached
  // nowhere.
  void start(Peer& peer, Now now);
  // Sends what is due, gives up when it is time. True if it gave up just now.
  [[nodiscard]] bool service(Peer& peer, Now now);
  // When service() has something to do; nothing if no handshake is in progress.
  [[nodiscard]] std::optional<Instant> deadline(const Peer& peer) const;
  void stop(Peer& peer);

  enum class Event : std::uint8_t {
    kNone,      // dropped, and counted
    kAnswered,  // we sent a response: the session exists, unconfirmed
    kUp,        // we got the response: the session is in use
  };
  struct Outcome {
    Event event = Event::kNone;
    Peer* peer = nullptr;
    engine::ReceiverIndex session = engine::kNoReceiver;
  };
  // Any datagram whose first byte is a handshake type.
  [[nodiscard]] Outcome consume(const Endpoint& source, ByteView datagram, Now now);

  // Everywhere the peer may be, the likeliest first, without doubles.
  [[nodiscard]] static std::vector<Endpoint> targets(const Peer& peer);

 private:
  struct FormState {
    handshake::Form form;
    handshake::MacChecker checker;
  };

  void send_initiation(Peer& peer, Now now);
  [[nodiscard]] Duration retry_after(const Peer& peer) const;
  [[nodiscard]] Duration give_up_after(const Peer& peer) const;
  [[nodiscard]] bool admit(FormState& form, const Endpoint& source, ByteView message, Instant now);
  Outcome consume_initiation(FormState& form, const Endpoint& source, ByteView message, Now now);
  Outcome consume_response(handshake::Form form, const Endpoint& source, ByteView message, Now now);
  void consume_cookie(ByteView message, Instant now);
  [[nodiscard]] Peer* initiator_of(const handshake::ReceivedInitiation& initiation, Now now);
  [[nodiscard]] bool fresh(Peer& peer, const handshake::ReceivedInitiation& initiation,
                           Instant now);
  void publish(Peer& peer, Session session, std::uint32_t remote,
               const handshake::TransportKeys& keys);

  Context& context_;
  PeerTable& peers_;
  FormState ipop_;
  std::optional<FormState> wireguard_;
  handshake::LoadGauge load_;
  handshake::SourceLimiter sources_;
};

}  // namespace ipop::overlay
