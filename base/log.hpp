// The daemon's log: levels, text or JSON lines on standard error. Start-up and overlay thread only;
// lcores count instead of logging. Secrets are never passed here.
#pragma once

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "base/clock.hpp"

namespace ipop::log {

enum class Level { kTrace, kDebug, kInfo, kWarning, kError };
enum class Format { kText, kJson };

// May be called again, to change level and format while running.
void configure(Level level, Format format);
[[nodiscard]] bool enabled(Level level) noexcept;
void write(Level level, std::string_view message);

template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kDebug)) {
    write(Level::kDebug, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kInfo)) write(Level::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warning(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kWarning)) {
    write(Level::kWarning, fmt::format(format, std::forward<Args>(args)...));
  }
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(Level::kError)) {
    write(Level::kError, fmt::format(format, std::forward<Args>(args)...));
  }
}

// Lets one line through an interval and counts the rest, for lines that a peer can provoke.
class Limiter {
 public:
  explicit Limiter(Duration interval = std::chrono::seconds(10)) noexcept : interval_(interval) {}

  // True if the line may be written now. `suppressed()` then tells how many were not, since the
  // last one that was.
  [[nodiscard]] bool allow(Instant now) noexcept {
    if (started_ && now - last_ < interval_) {
      ++pending_;
      return false;
    }
    started_ = true;
    last_ = now;
    suppressed_ = std::exchange(pending_, 0);
    return true;
  }
  [[nodiscard]] unsigned long suppressed() const noexcept { return suppressed_; }

 private:
  Duration interval_;
  Instant last_{};
  bool started_ = false;
  unsigned long pending_ = 0;
  unsigned long suppressed_ = 0;
};

}  // namespace ipop::log
