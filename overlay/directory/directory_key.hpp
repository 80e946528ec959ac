// A place in the directory: 20 opaque bytes that tell an outsider nothing (OpenDHT's InfoHash).
#pragma once

#include <array>
#include <compare>
#include <cstdint>

namespace ipop::overlay {

struct DirectoryKey {
  std::array<std::uint8_t, 20> bytes{};
  friend auto operator<=>(const DirectoryKey&, const DirectoryKey&) noexcept = default;
};

}  // namespace ipop::overlay
