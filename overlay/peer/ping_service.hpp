// `ipop ping`: one round trip to the node that holds an inner address, over its path, finding and
// connecting it first if need be. Bounded. Overlay thread; time is passed in.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "engine/api/types.hpp"
#include "overlay/status.hpp"

namespace ipop::overlay {

struct PingResult {
  bool answered = false;
  std::string error;  // why not
  Duration rtt{};
  std::string peer;  // its name
  Endpoint endpoint;
  PathKind path = PathKind::kNone;
  std::vector<std::string> relay_via;  // names of relays, the nearest first
};

class PingService {
 public:
  using OnResult = std::function<void(const PingResult&)>;
  static constexpr std::size_t kMaxPending = 256;
  static constexpr Duration kTimeout = std::chrono::seconds(4);

  // A ping that waits for its peer to be connected, or, with a sequence number, for its pong.
  struct Pending {
    IpAddress address;
    engine::PeerIndex peer = engine::kNoPeer;
    std::optional<std::uint32_t> sequence;
    Instant deadline;
    OnResult done;
  };

  // Fails at once, through `done`, when too many are pending.
  void add(Pending ping);
  // Those whose address is not yet pinged.
  [[nodiscard]] std::vector<Pending*> waiting();
  // Ends the ping that this pong answers.
  void on_pong(engine::PeerIndex peer, std::uint32_t sequence, const PingResult& result);
  // Ends those that wait for this address, and those whose time is up.
  void fail(const IpAddress& address, const std::string& why);
  void service(Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;

 private:
  void finish(std::size_t at, const PingResult& result);

  std::vector<Pending> pending_;
};

}  // namespace ipop::overlay
