// Numbers as people read them. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ipop::app {

[[nodiscard]] std::string bytes_text(std::uint64_t bytes);       // "0 B", "1.2 KiB", "345 GiB"
[[nodiscard]] std::string duration_text(std::uint64_t seconds);  // "45 s", "3 h 12 min"
[[nodiscard]] std::string milliseconds_text(double ms);          // "0.42 ms", "12.3 ms", "105 ms"
// "1 packet", "2 packets", "12,345 packets".
[[nodiscard]] std::string count_text(std::uint64_t count, std::string_view one,
                                     std::string_view many);
// Fit for a terminal: control characters, which could move its cursor, become '?'.
[[nodiscard]] std::string printable(std::string_view text);

}  // namespace ipop::app
