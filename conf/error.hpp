// What is wrong with a configuration: a file, a place in it and a sentence, in the form that
// editors understand. Start-up and reload, one thread. Values of secret keys never get here.
#pragma once

#include <compare>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ipop::conf {

// Line and column, both counted from 1, the column in characters. Line 0 means the whole file.
struct Position {
  int line = 0;
  int column = 0;

  friend auto operator<=>(const Position&, const Position&) noexcept = default;
};

struct ConfigError {
  std::string file;
  int line = 0;
  int column = 0;
  std::string message;

  // "file:line:column: message", or "file: message" where no line is to blame.
  [[nodiscard]] std::string to_string() const;
};

// One error per line, ready to be printed.
[[nodiscard]] std::string to_string(const std::vector<ConfigError>& errors);

// Collects the errors of one file. Bounded: beyond kMost it only counts, and says so at the end.
class ErrorList {
 public:
  static constexpr std::size_t kMost = 500;

  explicit ErrorList(std::string file) : file_(std::move(file)) {}

  void add(Position at, std::string message);
  [[nodiscard]] bool empty() const noexcept { return errors_.empty(); }
  [[nodiscard]] const std::string& file() const noexcept { return file_; }
  // All errors in the order of the file. The list is empty afterwards.
  [[nodiscard]] std::vector<ConfigError> take();

 private:
  std::string file_;
  std::vector<ConfigError> errors_;
  std::size_t not_shown_ = 0;
};

// A value of the file between quotation marks, fit for a terminal: shortened when long, and without
// control characters.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace ipop::conf
