#include "app/cli/daemon_process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace ipop::app {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kLookInterval{10};
constexpr std::streamoff kMostOutput = 16 * 1024;

[[noreturn]] void throw_errno(const std::string& what, int number) {
  throw std::runtime_error(what + ": " + std::generic_category().message(number));
}

// posix_spawn's two parameter objects, freed exactly once.
class SpawnSettings {
 public:
  SpawnSettings() {
    posix_spawn_file_actions_init(&files_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  // Nothing of ours is handed down: not the terminal, the folder, open files, or ignored signals.
  void detach(const fs::path& log) {
    posix_spawn_file_actions_addopen(&files_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files_, STDOUT_FILENO, log.c_str(),
                                     O_WRONLY | O_APPEND | O_CREAT, 0600);
    posix_spawn_file_actions_adddup2(&files_, STDOUT_FILENO, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
    posix_spawn_file_actions_addchdir_np(&files_, "/");
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }

  [[nodiscard]] const posix_spawn_file_actions_t* files() const noexcept { return &files_; }
  [[nodiscard]] const posix_spawnattr_t* attributes() const noexcept { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

bool is_program(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored) && ::access(path.c_str(), X_OK) == 0;
}

}  // namespace

DaemonProcess::DaemonProcess(const fs::path& program, const fs::path& config, fs::path log)
    : log_(fs::absolute(log)) {
  std::error_code error;
  fs::rename(log_, log_.string() + ".1", error);
  if (error && error != std::errc::no_such_file_or_directory) {
    throw std::runtime_error("keeping the old log " + log_.string() + ": " + error.message());
  }
  // posix_spawn reports a log that cannot be opened as if the program could not be run.
  if (!std::ofstream(log_, std::ios::app)) throw_errno("opening the log " + log_.string(), errno);
  fs::permissions(log_, static_cast<fs::perms>(0600), error);

  const std::string file = fs::absolute(config).string();
  std::array<const char*, 4> arguments{"ipopd", "--config", file.c_str(), nullptr};
  SpawnSettings settings;
  settings.detach(log_);
  const int failed = ::posix_spawn(&pid_, program.c_str(), settings.files(), settings.attributes(),
                                   const_cast<char* const*>(arguments.data()), environ);
  if (failed != 0) throw_errno("starting " + program.string(), failed);
}

std::optional<int> DaemonProcess::ended() {
  if (status_) return status_;
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == pid_) {
    status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return status_;
}

void DaemonProcess::terminate(std::chrono::milliseconds patience) {
  if (ended()) return;
  ::kill(pid_, SIGTERM);
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!ended() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(kLookInterval);
  }
  if (status_) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  if (::waitpid(pid_, &status, 0) == pid_) status_ = 128 + SIGKILL;
}

std::string DaemonProcess::last_output(std::size_t lines) const {
  std::ifstream file(log_, std::ios::binary | std::ios::ate);
  if (!file) return {};
  const std::streamoff size = file.tellg();
  file.seekg(std::max<std::streamoff>(0, size - kMostOutput));
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  while (!text.empty() && text.back() == '\n')
    text.pop_back();
  std::size_t begin = text.size();
  while (lines > 0 && begin != std::string::npos && begin > 0) {
    begin = text.rfind('\n', begin - 1);
    --lines;
  }
  return begin == std::string::npos || begin == 0 ? text : text.substr(begin + 1);
}

fs::path find_ipopd() {
  std::error_code error;
  const fs::path own = fs::read_symlink("/proc/self/exe", error);
  if (!error && is_program(own.parent_path() / "ipopd")) return own.parent_path() / "ipopd";
  const char* const path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (!folder.empty() && is_program(fs::path(folder) / "ipopd")) {
      return fs::path(folder) / "ipopd";
    }
  }
  throw std::runtime_error("ipopd is neither next to ipop nor in PATH: is it installed?");
}

}  // namespace ipop::app
