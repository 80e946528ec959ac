// ipopd started by `ipop up`: a process of its own session without a terminal, whose output goes to
// a log file. It stays our child while we wait for it to come up, because only a parent learns how
// a process ended; when `ipop` ends it lives on. One thread.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

namespace ipop::app {

class DaemonProcess {
 public:
  // Runs `program --config config`. What the log held before is kept as `<log>.1`. Throws
  // std::runtime_error, also if the program cannot be executed.
  DaemonProcess(const std::filesystem::path& program, const std::filesystem::path& config,
                std::filesystem::path log);

  // How it ended, as a shell puts it (128 + signal), or nothing while it runs.
  [[nodiscard]] std::optional<int> ended();
  // Asks it to end, and kills it if it has not after `patience`.
  void terminate(std::chrono::milliseconds patience);

  [[nodiscard]] const std::filesystem::path& log() const noexcept { return log_; }
  // The last lines that it wrote, at most `lines` of them and 16 KiB.
  [[nodiscard]] std::string last_output(std::size_t lines) const;

 private:
  std::filesystem::path log_;
  pid_t pid_ = -1;
  std::optional<int> status_;
};

// The ipopd that belongs to this ipop: next to its executable, else in PATH. Throws
// std::runtime_error if there is none.
[[nodiscard]] std::filesystem::path find_ipopd();

}  // namespace ipop::app
