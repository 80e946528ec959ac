// Answers Binding requests, so that every node can tell others how they look from outside. Whoever
// sends a forged source gets little: a response is at most 24 bytes longer than its request, and
// both one source and all together get a limited number. Overlay thread; pure.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.hpp"
#include "overlay/handshake/source_limiter.hpp"
#include "overlay/nat/stun_message.hpp"

namespace ipop::overlay::stun {

struct ServerCounters {
  std::uint64_t answered = 0;
  std::uint64_t malformed = 0;
  std::uint64_t limited = 0;
};

class Server {
 public:
  static constexpr unsigned kPerSecond = 1000;  // all sources together

  struct Answer {
    Message message;
    Endpoint to;                   // `source`, or another port of it if that was asked for
    bool from_other_port = false;  // of ours
  };
  // `other_port`: whether we have one to answer from.
  explicit Server(bool other_port = false) : other_port_(other_port) {}

  // What to send, or nothing. `datagram` is_message().
  [[nodiscard]] std::optional<Answer> answer(const Endpoint& source, ByteView datagram,
                                             Instant now);
  [[nodiscard]] const ServerCounters& counters() const noexcept { return counters_; }

 private:
  bool other_port_;
  handshake::SourceLimiter sources_;
  Instant second_{};
  unsigned in_second_ = 0;
  ServerCounters counters_;
};

}  // namespace ipop::overlay::stun
