// What stands behind the control socket: the functions that the overlay supplies, one a command.
// All are called by the overlay thread, and none may block it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "overlay/control/request.hpp"
#include "overlay/status.hpp"

namespace ipop::overlay::control {

// One question to a peer, answered or not.
struct PingReply {
  std::optional<double> rtt_ms;        // nothing: no answer came in time
  PathKind path = PathKind::kNone;     // the way it went
  std::string endpoint;                // where it went to
  std::vector<std::string> relay_via;  // names of relays, the nearest first
  std::string why;                     // why no answer, or why this path, if known
};

// Takes the replies in order, exactly `count` of them, or an error that ends the ping before. May
// be kept and called later, on the overlay thread. Returns false when nobody waits for more: the
// ping is over, and further calls do nothing.
using PingSink = std::function<bool(Result<PingReply>)>;

// What a reload did: keys of the configuration, as "log.level".
struct ReloadReport {
  std::vector<std::string> applied;
  std::vector<std::string> needs_restart;
};

struct Handlers {
  std::function<Status()> status;
  std::function<Result<PeerStatus>(std::string_view who)> peer;
  std::function<void(const PingRequest&, PingSink)> ping;
  // A configuration that is not good changes nothing and gives the error.
  std::function<Result<ReloadReport>()> reload;
  // Called after the client has its answer, or is gone.
  std::function<void()> stop;
};

}  // namespace ipop::overlay::control
