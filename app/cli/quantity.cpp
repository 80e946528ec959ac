#include "app/cli/quantity.hpp"

#include <fmt/format.h>

#include <array>

namespace ipop::app {

std::string bytes_text(std::uint64_t bytes) {
  if (bytes < 1024) return fmt::format("{} B", bytes);
  constexpr std::array kUnits{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  // What would be rounded up to four digits belongs to the next unit.
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return fmt::format("{:.{}f} {}", value, value < 99.95 ? 1 : 0, kUnits[unit]);
}

std::string duration_text(std::uint64_t seconds) {
  const std::uint64_t minutes = seconds / 60;
  const std::uint64_t hours = minutes / 60;
  const std::uint64_t days = hours / 24;
  if (days > 0) return fmt::format("{} d {} h", days, hours % 24);
  if (hours > 0) return fmt::format("{} h {} min", hours, minutes % 60);
  if (minutes > 0) return fmt::format("{} min {} s", minutes, seconds % 60);
  return fmt::format("{} s", seconds);
}

std::string milliseconds_text(double ms) {
  const int digits = ms < 9.995 ? 2 : ms < 99.95 ? 1 : 0;
  return fmt::format("{:.{}f} ms", ms, digits);
}

std::string count_text(std::uint64_t count, std::string_view one, std::string_view many) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3;) {
    at -= 3;
    digits.insert(at, 1, ',');
  }
  return fmt::format("{} {}", digits, count == 1 ? one : many);
}

std::string printable(std::string_view text) {
  std::string shown(text);
  for (char& letter : shown) {
    const auto byte = static_cast<unsigned char>(letter);
    if (byte < 0x20 || byte == 0x7f) letter = '?';
  }
  // The C1 controls, U+0080 to U+009F, are two bytes in UTF-8.
  for (std::size_t i = 0; i + 1 < shown.size(); ++i) {
    const auto next = static_cast<unsigned char>(shown[i + 1]);
    if (static_cast<unsigned char>(shown[i]) == 0xc2 && next >= 0x80 && next < 0xa0) {
      shown.replace(i, 2, "?");
    }
  }
  return shown;
}

}  // namespace ipop::app
