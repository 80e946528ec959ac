// All that a lcore needs to know of a peer, and that never changes: the overlay thread replaces it
// as a whole, and the old one is freed when no lcore can see it. The first cache line is all that
// is read, except while a session waits to be confirmed, for lanes beyond the first, and by the
// firewall.
#pragma once

#include <atomic>
#include <cstdint>

#include "engine/api/types.hpp"
#include "engine/firewall/marks.hpp"
#include "engine/table/lazy_array.hpp"
#include "engine/table/session.hpp"

namespace ipop::engine {

struct alignas(64) PeerView {
  Session* session = nullptr;  // what packets are sealed with; nullptr = none
  Instant send_until{};        // the session's
  std::uint32_t home4 = 0;     // one of its IPv4 host routes, 0 = none
  IpAddress home6;             // one of its IPv6 host routes, :: = none
  Endpoint endpoint;           // its path; port 0 = none is known
  std::uint16_t mtu = 0;       // the path's
  SessionForm form = SessionForm::kIpop;
  bool has_successor = false;

  // Replaces `session` from the moment on which something was opened with it: the overlay's word
  // would come too late for the host's first answer.
  alignas(64) Session* successor = nullptr;
  LanePorts lane_ports;
  // For the firewall's rules, by whether their generation is odd.
  firewall::StampedMarks marks[2];

  // What a host packet can be sealed with and sent now, by a lane that is not spent. nullptr: it
  // waits and the overlay is asked.
  [[nodiscard]] Session* usable(Instant now) const noexcept {
    if (endpoint.port == 0) return nullptr;
    // Relaxed: what the successor is was published with this view.
    if (has_successor && successor->proved.load(std::memory_order_relaxed)) [[unlikely]] {
      return now >= successor->sent.send_until ? nullptr : successor;
    }
    return now >= send_until ? nullptr : session;
  }
  // Where what is sealed by this lane goes; `own` is written if that is not the path as it is.
  [[nodiscard]] const Endpoint& endpoint_of(const SendLane& lane, Endpoint& own) const noexcept {
    if (lane.number == 0 || (lane_ports.ours >> lane.number & 1) == 0) [[likely]]
      return endpoint;
    own = endpoint;
    own.socket = lane_socket(lane.number);
    return own;
  }
  // Whether what comes by this lane says nothing of where the peer is.
  [[nodiscard]] bool comes_apart(const ReceiveLane& lane) const noexcept {
    return lane.number != 0 && (lane_ports.theirs >> lane.number & 1) != 0;
  }
  // The largest inner packet that fits the path: behind the data header, before the tag.
  [[nodiscard]] std::uint32_t room() const noexcept { return mtu > 32 ? mtu - 32u : 0u; }
  // A route lookup of `address` would surely give this peer: host routes are the longest.
  [[nodiscard]] bool is_home(const IpAddress& address) const noexcept {
    return address.is_v4() ? home4 != 0 && address.v4() == home4
                           : address == home6 && home6 != IpAddress();
  }
};
static_assert(sizeof(PeerView) == 128);

// Peer index → its present view. lcore: r, overlay: w
class PeerViews {
 public:
  explicit PeerViews(std::uint32_t max_peers) : entries_(max_peers) {}

  // nullptr if the peer is not there (any more). Acquire pairs with the release in replace().
  [[nodiscard]] const PeerView* find(PeerIndex peer) const noexcept {
    const auto index = static_cast<std::uint32_t>(peer);
    return index < entries_.size() ? entries_[index].view.load(std::memory_order_acquire) : nullptr;
  }
  // Changes whenever the view does; never 0 once there was a view. What is read before find() is
  // the version of the view that find() gives, or of an older one.
  [[nodiscard]] std::uint32_t version(PeerIndex peer) const noexcept {
    const auto index = static_cast<std::uint32_t>(peer);
    return index < entries_.size() ? entries_[index].version.load(std::memory_order_acquire) : 0;
  }
  // Returns the view that was, for the caller to free when no lcore can see it.
  [[nodiscard]] const PeerView* replace(PeerIndex peer, const PeerView* view) noexcept {
    Entry& entry = entries_[static_cast<std::uint32_t>(peer)];
    const PeerView* const old = entry.view.exchange(view, std::memory_order_acq_rel);
    entry.version.store(entry.version.load(std::memory_order_relaxed) + 1,
                        std::memory_order_release);
    return old;
  }
  [[nodiscard]] std::size_t size() const noexcept { return entries_.size(); }

 private:
  struct Entry {
    std::atomic<const PeerView*> view;
    std::atomic<std::uint32_t> version;
  };

  LazyArray<Entry> entries_;
};

}  // namespace ipop::engine
