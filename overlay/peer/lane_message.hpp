// What peers tell each other of lanes with UDP ports of their own, inside a session: as steps of
// the same kind of control message as trust (trust_message.hpp). Pure: bytes to values and back.
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "base/bytes.hpp"

namespace ipop::overlay::message {

// Comes by the port that the sender has for this lane: "do you hear me?"
struct LaneProbe {
  std::uint8_t lane = 0;  // 1 to kMaxLanes - 1
  std::uint32_t token = 0;
};
// Comes along the path: the answer.
struct LaneHeard {
  std::uint8_t lane = 0;
  std::uint32_t token = 0;
};

void write(ByteWriter& writer, const LaneProbe& probe);
void write(ByteWriter& writer, const LaneHeard& heard);

// What follows the kind. Nothing, and `reader` is where it was, if it is no step of these; `valid`
// becomes false for what is malformed.
[[nodiscard]] std::optional<std::variant<LaneProbe, LaneHeard>> read_lanes(ByteReader& reader,
                                                                           bool& valid);

}  // namespace ipop::overlay::message
