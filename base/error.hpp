// The error of everything that can fail at run time outside the packet path: one sentence that a
// user can act on. Any thread. Start-up code throws std::runtime_error instead (docs/decisions).
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace ipop {

struct Error {
  std::string message;

  // The same error, told from further away: "reading state file: no such file".
  [[nodiscard]] Error within(std::string_view context) const {
    return Error{std::string(context) + ": " + message};
  }
};

template <typename T>
using Result = std::expected<T, Error>;

[[nodiscard]] inline std::unexpected<Error> fail(std::string message) {
  return std::unexpected<Error>(Error{std::move(message)});
}

// Appends ": " and what errno says (strerror of `number`).
[[nodiscard]] std::unexpected<Error> fail_errno(std::string_view what, int number);

}  // namespace ipop
