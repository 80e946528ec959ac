// WireGuard's constants of a session's life (WireGuard paper §6.1). Values only; who waits for them
// reads the clock.
#pragma once

#include <cstdint>

#include "base/clock.hpp"

namespace ipop::overlay::handshake {

struct Timers {
  // The initiator of a session makes a new one after this time, when it sends.
  Duration rekey_after = std::chrono::seconds(120);
  // Nothing is sealed or opened with a session that is this old.
  Duration reject_after = std::chrono::seconds(180);
  // How long initiations are repeated before a peer is given up.
  Duration rekey_attempt = std::chrono::seconds(90);
  // From an initiation without an answer to the next.
  Duration rekey_timeout = std::chrono::seconds(5);
  // From data received, with nothing to send back, to an empty datagram.
  Duration keepalive_timeout = std::chrono::seconds(10);
  // Datagrams sealed with one session: a new one is made, none is sealed any more.
  std::uint64_t rekey_after_messages = std::uint64_t{1} << 60;
  std::uint64_t reject_after_messages = UINT64_MAX - (std::uint64_t{1} << 13);

  // The ends of a session count from different moments: what one still sends, the other must still
  // take.
  [[nodiscard]] Duration send_for() const noexcept { return reject_after * 179 / 180; }
};

inline constexpr Timers kTimers{};

}  // namespace ipop::overlay::handshake
