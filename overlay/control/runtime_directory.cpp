#include "overlay/control/runtime_directory.hpp"

#include <fcntl.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

namespace ipop::overlay::control {
namespace {

namespace fs = std::filesystem;

fs::path lock_path(const fs::path& directory) {
  return directory / "lock";
}

// A write lock on the whole file. Locks of the open file description (fcntl(2), OFD), not
// flock(2): they too end with the descriptor, and can be asked for without being taken.
struct flock whole_file() noexcept {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

[[noreturn]] void throw_errno(const std::string& what, int number) {
  throw std::runtime_error(what + ": " + std::generic_category().message(number));
}

}  // namespace

fs::path socket_path(const fs::path& directory) {
  return directory / "control.sock";
}

RuntimeDirectory::RuntimeDirectory(fs::path directory) : path_(std::move(directory)) {
  std::error_code error;
  const bool made = fs::create_directories(path_, error);
  if (error) {
    throw std::runtime_error("making the runtime directory " + path_.string() + ": " +
                             error.message());
  }
  if (made) {
    fs::permissions(path_, static_cast<fs::perms>(0755), error);
    if (error) throw std::runtime_error(path_.string() + ": " + error.message());
  }
  const fs::path file = lock_path(path_);
  lock_ = Fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock_) throw_errno("opening " + file.string(), errno);
  struct flock lock = whole_file();
  if (::fcntl(lock_.get(), F_OFD_SETLK, &lock) == 0) return;
  if (errno == EAGAIN || errno == EACCES) {
    throw std::runtime_error("another ipopd runs with the runtime directory " + path_.string());
  }
  throw_errno("locking " + file.string(), errno);
}

Result<bool> RuntimeDirectory::is_in_use(const fs::path& directory) {
  const fs::path file = lock_path(directory);
  const Fd fd(::open(file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
  if (!fd) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return fail_errno("opening " + file.string(), errno);
  }
  struct flock lock = whole_file();
  if (::fcntl(fd.get(), F_OFD_GETLK, &lock) != 0) {
    return fail_errno("asking for the lock " + file.string(), errno);
  }
  return lock.l_type != F_UNLCK;
}

}  // namespace ipop::overlay::control
