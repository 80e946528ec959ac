// Bytes as text and back: hexadecimal and base64 (RFC 4648, with padding, as `wg` prints keys).
// Any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace ipop {

[[nodiscard]] std::string to_hex(ByteView bytes);
[[nodiscard]] std::string to_base64(ByteView bytes);
[[nodiscard]] Result<std::vector<std::uint8_t>> from_hex(std::string_view text);
[[nodiscard]] Result<std::vector<std::uint8_t>> from_base64(std::string_view text);

}  // namespace ipop
