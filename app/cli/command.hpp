// What the subcommands of `ipop` share: where they print, which daemon they talk to, how they fail.
// One thread. Each subcommand has a file of its own with its `add_…`, which declares its arguments;
// the command runs while CLI11 parses, and leaves its exit code in the context.
#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <iosfwd>
#include <stdexcept>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace ipop::app {

inline constexpr int kSuccess = 0;
inline constexpr int kFailure = 1;
inline constexpr int kUsage = 2;  // or a configuration that is not good

// The command was called in a way that cannot work: exit code 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Context {
  std::ostream& out;
  std::ostream& err;
  std::filesystem::path runtime = "/run/ipop";
  bool runtime_given = false;   // on the command line or by IPOP_RUNTIME
  std::filesystem::path ipopd;  // the daemon's program; empty: next to ipop, or in PATH
  std::chrono::milliseconds patience = std::chrono::seconds(10);  // with its start and its stop
  int exit_code = kSuccess;
};

// For answers that come without waiting for anything but the daemon.
inline constexpr std::chrono::seconds kAnswerTimeout{5};

// The value, or its error thrown: `ipop` ends with exit code 1 and that sentence.
template <typename T>
[[nodiscard]] T or_throw(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().message);
  return *std::move(result);
}
inline void or_throw(Result<void> result) {
  if (!result) throw std::runtime_error(result.error().message);
}

void add_init(CLI::App& app, Context& context);
void add_up(CLI::App& app, Context& context);
void add_down(CLI::App& app, Context& context);
void add_status(CLI::App& app, Context& context);
void add_peers(CLI::App& app, Context& context);
void add_netcheck(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_ping(CLI::App& app, Context& context);
void add_reload(CLI::App& app, Context& context);
void add_version(CLI::App& app, Context& context);
void add_ca(CLI::App& app, Context& context);
void add_firewall(CLI::App& app, Context& context);
void add_firewall_test(CLI::App& firewall, Context& context);

}  // namespace ipop::app
