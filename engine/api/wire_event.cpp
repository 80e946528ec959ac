#include "engine/api/wire_event.hpp"

namespace ipop::engine {

const char* name(WireEvent event) noexcept {
  static constexpr std::array<const char*, kWireEventCount> kNames = {
      "neighbour", "echo",         "not_ours",   "other",          "fragment",
      "malformed", "bad_checksum", "missed",     "overlay_missed", "unresolved",
      "no_route",  "too_big",      "queue_full", "conflict",       "copied"};
  return kNames.at(static_cast<std::size_t>(event));
}

}  // namespace ipop::engine
