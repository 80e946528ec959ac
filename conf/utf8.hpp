// Which bytes may stand in a configuration: well-formed UTF-8 (RFC 3629) without control
// characters. Any thread; nothing allocates.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace ipop::conf {

struct BadByte {
  std::size_t offset;
  bool control;  // else: not UTF-8
};

// The first byte that is not part of well-formed UTF-8, or that begins a control character other
// than tab, line feed, or carriage return before a line feed.
[[nodiscard]] std::optional<BadByte> first_bad_byte(std::string_view text) noexcept;

// Characters in well-formed UTF-8.
[[nodiscard]] std::size_t count_characters(std::string_view text) noexcept;

// Fit for names: neither bad bytes nor tabs nor line ends.
[[nodiscard]] bool is_plain_text(std::string_view text) noexcept;

}  // namespace ipop::conf
