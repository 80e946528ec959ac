#include "base/log.hpp"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

namespace ipop::log {
namespace {

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kTrace:
      return spdlog::level::trace;
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarning:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

struct State {
  std::shared_ptr<spdlog::logger> logger = spdlog::stderr_logger_mt("ipop");
  Format format = Format::kText;
};

State& state() {
  static State state;
  return state;
}

}  // namespace

void configure(Level level, Format format) {
  State& log = state();
  log.format = format;
  log.logger->set_level(to_spdlog(level));
  log.logger->flush_on(spdlog::level::trace);
  log.logger->set_pattern(format == Format::kText
                              ? "%Y-%m-%d %H:%M:%S.%e %l %v"
                              : R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%v})");
}

bool enabled(Level level) noexcept {
  return state().logger->should_log(to_spdlog(level));
}

void write(Level level, std::string_view message) {
  State& log = state();
  if (log.format == Format::kText) {
    log.logger->log(to_spdlog(level), "{}", message);
    return;
  }
  // Messages can carry bytes from peers: anything that is not UTF-8 is replaced, never thrown.
  const nlohmann::json quoted = std::string(message);
  log.logger->log(to_spdlog(level), "{}",
                  quoted.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
}

}  // namespace ipop::log
