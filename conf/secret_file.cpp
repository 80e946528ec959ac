#include "conf/secret_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "base/fd.hpp"
#include "conf/error.hpp"
#include "conf/field.hpp"

namespace ipop::conf {

Result<std::string> read_secret_file(const std::filesystem::path& file) {
  const std::string name = in_quotes(file.native());
  // Looked at before it is opened: opening a device or a pipe can do more than that.
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return fail_errno("reading " + name, errno);
  if (!S_ISREG(status.st_mode)) return fail(name + " is not a regular file");

  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK));
  if (!fd || ::fstat(fd.get(), &status) != 0) return fail_errno("reading " + name, errno);
  if (!S_ISREG(status.st_mode)) return fail(name + " is not a regular file");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(name + " is open to others than its owner; chmod 600 it");
  }

  std::string secret(kMostSecretBytes + 3,
                     '\0');  // a line end, and one byte to see that more follows
  std::size_t size = 0;
  while (size < secret.size()) {
    const ssize_t got = ::read(fd.get(), secret.data() + size, secret.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("reading " + name, errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  secret.resize(size);
  if (secret.ends_with('\n')) secret.pop_back();
  if (secret.ends_with('\r')) secret.pop_back();
  if (secret.empty()) return fail(name + " is empty");
  if (secret.size() > kMostSecretBytes) {
    return fail(name + " has more than " + std::to_string(kMostSecretBytes) + " bytes");
  }
  return secret;
}

}  // namespace ipop::conf
