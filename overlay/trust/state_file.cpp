#include "overlay/trust/state_file.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/fd.hpp"

namespace ipop::overlay {
namespace {

// A file under a passing name, which is gone again unless it got its real one.
class PassingFile {
 public:
  explicit PassingFile(const std::filesystem::path& beside)
      : name_(beside.string() + ".XXXXXX"), fd_(::mkostemp(name_.data(), O_CLOEXEC)) {}
  PassingFile(const PassingFile&) = delete;
  PassingFile& operator=(const PassingFile&) = delete;
  ~PassingFile() {
    if (fd_ && !renamed_) ::unlink(name_.c_str());
  }

  [[nodiscard]] const Fd& fd() const noexcept { return fd_; }
  [[nodiscard]] const char* name() const noexcept { return name_.c_str(); }
  void set_renamed() noexcept { renamed_ = true; }

 private:
  std::string name_;
  Fd fd_;
  bool renamed_ = false;
};

Result<void> write_all(const Fd& fd, std::string_view content) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd.get(), content.data(), content.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return fail_errno("cannot write", errno);
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::fsync(fd.get()) != 0) return fail_errno("cannot synchronise", errno);
  return {};
}

Result<void> give_name(PassingFile& from, const std::filesystem::path& file, IfExists if_exists) {
  if (if_exists == IfExists::kReplace) {
    if (::rename(from.name(), file.c_str()) != 0) return fail_errno("cannot rename", errno);
    from.set_renamed();
    return {};
  }
  // link() fails where rename() would overwrite; the passing name goes with `from`.
  if (::link(from.name(), file.c_str()) != 0) {
    if (errno == EEXIST) return fail("exists already, and is not overwritten");
    return fail_errno("cannot link", errno);
  }
  return {};
}

// Without this the name may be lost in a power cut, though the content is safe.
Result<void> sync_directory_of(const std::filesystem::path& file) {
  const std::filesystem::path parent = file.has_parent_path() ? file.parent_path() : ".";
  const Fd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.get()) != 0) {
    return fail_errno("cannot synchronise its directory", errno);
  }
  return {};
}

}  // namespace

Result<void> write_state_file(const std::filesystem::path& file, std::string_view content,
                              IfExists if_exists) {
  PassingFile passing(file);  // mkostemp makes it with mode 0600
  if (!passing.fd()) return fail_errno(file.string() + ": cannot create", errno);
  Result<void> done = write_all(passing.fd(), content);
  if (done) done = give_name(passing, file, if_exists);
  if (done) done = sync_directory_of(file);
  if (!done) return std::unexpected(done.error().within(file.string()));
  return {};
}

Result<std::string> read_state_file(const std::filesystem::path& file, std::size_t limit) {
  // Non-blocking, so that a FIFO in its place cannot hold up the daemon.
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return fail_errno(file.string(), errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail_errno(file.string(), errno);
  if (!S_ISREG(status.st_mode)) return fail(file.string() + ": not a regular file");

  std::string content(limit + 1, '\0');
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = ::read(fd.get(), content.data() + size, content.size() - size);
    if (got < 0) {
      if (errno == EINTR) continue;
      return fail_errno(file.string(), errno);
    }
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > limit) {
    return fail(file.string() + ": longer than " + std::to_string(limit) + " bytes");
  }
  content.resize(size);
  return content;
}

}  // namespace ipop::overlay
