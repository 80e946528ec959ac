// One session as lcores use it: keys, and lanes for each direction. Made and freed by the overlay
// thread (freeing wipes the keys). The session is its own first lane to receive by, so that what
// most sessions have is found without a further step.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "engine/table/lane.hpp"

namespace ipop::engine {

struct Session : ReceiveLane {
  Session() noexcept { sent.key = &send_key; }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  SendLane sent;  // lane 0

  // Something was opened with it. lcores: rw
  std::atomic<bool> proved{false};

  // lcore: r, overlay: w before it publishes
  AeadKey send_key;
  AeadKey receive_key;

  // Each at most kMaxLanes. Overlay, once, before it publishes and when all else is filled in.
  void add_lanes(std::uint8_t send, std::uint8_t receive);

  // `which` is below sent.lanes, or lanes.
  [[nodiscard]] SendLane& send_lane(std::uint8_t which) noexcept {
    return which == 0 ? sent : further_send_[which - 1u];
  }
  [[nodiscard]] ReceiveLane& receive_lane(std::uint8_t which) noexcept {
    return which == 0 ? *this : further_receive_[which - 1u];
  }
  // Of all lanes. Any thread; the sums of one moment are not those of one burst.
  [[nodiscard]] SessionActivity activity() const noexcept;
  void add_data(PeerCounters& sum) const noexcept;

 private:
  // lcore: r, overlay: w before it publishes
  std::unique_ptr<SendLane[]> further_send_;
  std::unique_ptr<ReceiveLane[]> further_receive_;
};

}  // namespace ipop::engine
