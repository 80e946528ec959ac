// The daemon's runtime directory: control.sock, and a lock that lives exactly as long as the daemon
// that holds it, so that a socket left by a dead one is told from a live one. Start-up, and
// programs that ask whether a daemon runs.
#pragma once

#include <filesystem>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace ipop::overlay::control {

[[nodiscard]] std::filesystem::path socket_path(const std::filesystem::path& directory);

class RuntimeDirectory {
 public:
  // Makes the directory (0755; what it holds is the owner's alone) and takes the lock. Throws
  // std::runtime_error, also if another daemon holds it.
  explicit RuntimeDirectory(std::filesystem::path directory);

  // Whether a daemon holds the lock now, without taking it. Fails if that cannot be told, as when
  // the lock may not be read.
  [[nodiscard]] static Result<bool> is_in_use(const std::filesystem::path& directory);

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
  Fd lock_;
};

}  // namespace ipop::overlay::control
