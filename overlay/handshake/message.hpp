// The layout that handshake messages share (WireGuard paper §5.4.2, §5.4.3, §5.4.7): sizes, first
// four bytes, macs at the end. A message of IPOP form is as long as WireGuard's plus its payload.
// Any thread; contents are the business of noise.hpp and cookie.hpp.
#pragma once

#include "overlay/handshake/noise.hpp"

namespace ipop::overlay::handshake {

inline constexpr std::size_t kInitiationSize = 148;
inline constexpr std::size_t kResponseSize = 92;
inline constexpr std::size_t kCookieReplySize = 64;
inline constexpr std::size_t kMacsSize = 32;  // mac1 and mac2, 16 bytes each
static_assert(kInitiationSize + kMaxPayload <= kMaxMessage);

[[nodiscard]] constexpr MessageType initiation_type(Form form) noexcept {
  return form == Form::kIpop ? MessageType::kIpopInitiation : MessageType::kInitiation;
}
[[nodiscard]] constexpr MessageType response_type(Form form) noexcept {
  return form == Form::kIpop ? MessageType::kIpopResponse : MessageType::kResponse;
}
[[nodiscard]] constexpr std::size_t max_payload(Form form) noexcept {
  return form == Form::kIpop ? kMaxPayload : 0;
}

// True if `message` begins with `type` and three zero bytes, and is `size` bytes long and at most
// `payload` longer.
[[nodiscard]] bool has_layout(ByteView message, MessageType type, std::size_t size,
                              std::size_t payload) noexcept;

// A zeroed message of `size` bytes that begins with `type`.
[[nodiscard]] std::vector<std::uint8_t> make_message(MessageType type, std::size_t size);

}  // namespace ipop::overlay::handshake
