// The 16 bytes in front of a sealed packet (WireGuard paper §5.4.6): type 4 and three zero bytes,
// the receiver's index, the counter; all in little endian.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.hpp"
#include "engine/aead/aead.hpp"
#include "engine/api/types.hpp"

namespace ipop::engine {

inline constexpr std::size_t kDataHeader = 16;
inline constexpr std::uint32_t kDataType = 4;

inline void write_data_header(std::uint8_t* at, std::uint32_t receiver,
                              std::uint64_t counter) noexcept {
  store_le(at, kDataType);
  store_le(at + 4, receiver);
  store_le(at + 8, counter);
}

[[nodiscard]] inline ReceiverIndex data_receiver(const std::uint8_t* at) noexcept {
  return ReceiverIndex{load_le<std::uint32_t>(at + 4)};
}

[[nodiscard]] inline std::uint64_t data_counter(const std::uint8_t* at) noexcept {
  return load_le<std::uint64_t>(at + 8);
}

}  // namespace ipop::engine
