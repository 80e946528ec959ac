// The life of a peer's sessions after the handshake: which one seals, when to make a new one, when
// an old one goes. WireGuard's rules (paper §6.2 to §6.4), asked at intervals instead of per
// packet: what traffic did is read from the engine. Overlay thread.
#pragma once

#include "overlay/peer/context.hpp"
#include "overlay/peer/peer.hpp"

namespace ipop::overlay {

// What the engine knows of all sessions of a peer together.
[[nodiscard]] engine::SessionActivity activity_of(const Context& context, const Peer& peer);

// The session proved itself: it becomes the current one, unless a younger one is. Host packets use
// it if the peer admits us; if it says that it does not (it was restarted), they wait.
void confirm_session(Context& context, Peer& peer, engine::ReceiverIndex session, Instant now);

// The peer lets our host packets pass: they use the current session from now on.
void admitted(Context& context, Peer& peer);

// Retires what is too old, unconfirmed for too long, or one too many.
void expire_sessions(Context& context, Peer& peer, Instant now);
void retire_all_sessions(Context& context, Peer& peer);

// A new handshake is due although the current session still works.
[[nodiscard]] bool wants_rekey(const Context& context, const Peer& peer, Instant now);

}  // namespace ipop::overlay
