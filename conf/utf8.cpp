#include "conf/utf8.hpp"

#include <algorithm>

namespace ipop::conf {
namespace {

unsigned byte_at(std::string_view text, std::size_t at) noexcept {
  return at < text.size() ? static_cast<unsigned char>(text[at]) : 0u;
}

// The length of the well-formed sequence that begins at `at`; 0 if there is none.
std::size_t sequence_length(std::string_view text, std::size_t at) noexcept {
  const unsigned first = byte_at(text, at);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xc2 && first <= 0xdf   ? 2
                             : first >= 0xe0 && first <= 0xef ? 3
                             : first >= 0xf0 && first <= 0xf4 ? 4
                                                              : 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, at + i) & 0xc0) != 0x80) return 0;
  }
  const unsigned second = byte_at(text, at + 1);
  // Overlong forms, surrogates, and what lies beyond U+10FFFF.
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f) ||
      (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) {
    return 0;
  }
  return length;
}

bool is_control(std::string_view text, std::size_t at) noexcept {
  const unsigned first = byte_at(text, at);
  if (first == '\t' || first == '\n') return false;
  if (first == '\r') return byte_at(text, at + 1) != '\n';
  return first < 0x20 || first == 0x7f || (first == 0xc2 && byte_at(text, at + 1) < 0xa0);
}

}  // namespace

std::optional<BadByte> first_bad_byte(std::string_view text) noexcept {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = sequence_length(text, at);
    if (length == 0) return BadByte{at, false};
    if (is_control(text, at)) return BadByte{at, true};
    at += length;
  }
  return std::nullopt;
}

std::size_t count_characters(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

bool is_plain_text(std::string_view text) noexcept {
  return !first_bad_byte(text) && text.find_first_of("\t\r\n") == std::string_view::npos;
}

}  // namespace ipop::conf
