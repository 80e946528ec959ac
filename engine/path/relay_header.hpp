// The 8 bytes in front of a datagram that goes through a relay: type 5, how many relays it may
// still pass, two zero bytes, and in little endian the label by which whoever gets it next knows
// what to do with the rest.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "engine/api/types.hpp"

namespace ipop::engine {

inline constexpr std::uint32_t kRelayHeader = 8;
inline constexpr std::uint8_t kRelayType = 5;
// More than any chain that the overlay builds, so that only a loop uses them up.
inline constexpr std::uint8_t kMostRelays = 8;

inline void write_relay_header(std::uint8_t* at, std::uint8_t relays,
                               std::uint32_t label) noexcept {
  store_le(at, kRelayType | std::uint32_t{relays} << 8);
  store_le(at + 4, label);
}

[[nodiscard]] inline std::uint8_t relays_left(const std::uint8_t* at) noexcept {
  return at[1];
}

[[nodiscard]] inline RelayLabel relay_label(const std::uint8_t* at) noexcept {
  return RelayLabel{load_le<std::uint32_t>(at + 4)};
}

}  // namespace ipop::engine
