#include "conf/error.hpp"

#include <algorithm>
#include <utility>

namespace ipop::conf {

std::string ConfigError::to_string() const {
  if (line == 0) return file + ": " + message;
  return file + ":" + std::to_string(line) + ":" + std::to_string(column) + ": " + message;
}

std::string to_string(const std::vector<ConfigError>& errors) {
  std::string text;
  for (const ConfigError& error : errors) {
    text += error.to_string() + "\n";
  }
  return text;
}

void ErrorList::add(Position at, std::string message) {
  if (errors_.size() == kMost) {
    ++not_shown_;
    return;
  }
  errors_.push_back({file_, at.line, at.column, std::move(message)});
}

std::vector<ConfigError> ErrorList::take() {
  std::ranges::stable_sort(errors_, {}, [](const ConfigError& error) {
    return Position{error.line, error.column};
  });
  if (not_shown_ > 0) {
    errors_.push_back({file_, 0, 0, std::to_string(not_shown_) + " more errors are not shown"});
    not_shown_ = 0;
  }
  return std::exchange(errors_, {});
}

std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::size_t length = text.size();
  if (length > kLongest) {
    length = kLongest;
    // Never in the middle of a UTF-8 sequence.
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xc0) == 0x80)
      --length;
  }
  std::string shown = "\"";
  for (const char c : text.substr(0, length)) {
    const auto byte = static_cast<unsigned char>(c);
    shown += byte < 0x20 || byte == 0x7f ? '?' : c;
  }
  return shown + (length < text.size() ? "…\"" : "\"");
}

}  // namespace ipop::conf
