#include "overlay/peer/lane_message.hpp"

#include "engine/api/types.hpp"

namespace ipop::overlay::message {
namespace {

// The byte behind the kind.
enum Step : std::uint8_t { kProbe = 0x10, kHeard = 0x11 };

template <typename T>
void write_step(ByteWriter& writer, Step step, const T& message) {
  writer.u8(step);
  writer.u8(message.lane);
  writer.le(message.token);
}

template <typename T>
T read(ByteReader& reader, bool& valid) {
  T message;
  message.lane = reader.u8();
  message.token = reader.le<std::uint32_t>();
  valid = message.lane != 0 && message.lane < engine::kMaxLanes;
  return message;
}

}  // namespace

void write(ByteWriter& writer, const LaneProbe& probe) {
  write_step(writer, kProbe, probe);
}

void write(ByteWriter& writer, const LaneHeard& heard) {
  write_step(writer, kHeard, heard);
}

std::optional<std::variant<LaneProbe, LaneHeard>> read_lanes(ByteReader& reader, bool& valid) {
  if (reader.remaining() == 0) return std::nullopt;
  const std::uint8_t step = reader.rest().front();
  if (step != kProbe && step != kHeard) return std::nullopt;
  static_cast<void>(reader.u8());
  if (step == kProbe) return read<LaneProbe>(reader, valid);
  return read<LaneHeard>(reader, valid);
}

}  // namespace ipop::overlay::message
