// The answer of an HTTP server, as far as UPnP needs it: status and body. Bytes from the network:
// parsing checks everything and is bounded. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace ipop::overlay::http {

inline constexpr std::size_t kLongestHead = 8 * 1024;
inline constexpr std::size_t kLongestAnswer = 128 * 1024;

struct Answer {
  unsigned status = 0;  // 200
  std::string body;
};

enum class Progress { kMore, kWhole, kBroken };

// Of all bytes received so far; `ended`: the server has closed the connection. `into` is set when
// it is whole.
[[nodiscard]] Progress parse_answer(std::string_view bytes, bool ended, Answer& into);

// The value of a header field of a head that may be a request's or an answer's; empty if it has
// none. Names are compared without case.
[[nodiscard]] std::string_view field(std::string_view head, std::string_view name);

// "http://HOST[:PORT]/PATH" or "/PATH" or "PATH". Only what a request line may carry.
struct Target {
  std::uint16_t port = 0;  // 0: none is named
  std::string path;        // "/..."; empty: it cannot be used
};
[[nodiscard]] Target parse_target(std::string_view url);

}  // namespace ipop::overlay::http
