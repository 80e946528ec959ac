// Feeds packets to a Coalescer as the engine does and judges what comes out: cut again by the
// model, it must be what went in. Without gtest, so that fuzz targets take it too.
#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <vector>

#include "engine/path/coalesce.hpp"
#include "tests/unit/engine/transport_packets.hpp"

namespace ipop::engine {

struct Arrival {
  Bytes packet;
  bool partial = false;
};

struct MergedFrame {
  Bytes bytes;
  FrameMarks marks;
  std::size_t packets = 0;
};

class Merging {
 public:
  explicit Merging(HostOffloads offloads = {.tcp = true, .udp = true}) : coalescer_(offloads) {}

  // Ignores what the engine would not deliver: what is no IP packet, or has nowhere to complete its
  // checksum. Finishes a turn when there is no room.
  void add(const Arrival& arrival);
  void finish_turn();

  // Frames of all turns that are finished.
  [[nodiscard]] const std::vector<MergedFrame>& frames() const { return frames_; }
  [[nodiscard]] std::vector<std::size_t> counts() const;
  // How many packets were taken because they were just what had been expected.
  [[nodiscard]] std::size_t extended() const { return extended_; }
  // Empty if all frames of finished turns, cut again, give what was added: each flow's packets in
  // their order, no packet on another side of one that may belong to any flow, none lost or
  // invented. Else what is wrong.
  [[nodiscard]] std::string complaint() const;

 private:
  Coalescer coalescer_;
  std::deque<Bytes> buffers_;  // of this turn
  std::vector<Arrival> taken_;
  std::vector<MergedFrame> frames_;
  std::size_t extended_ = 0;
  bool expecting_ = false;
};

}  // namespace ipop::engine
