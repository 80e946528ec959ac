#include "app/sd_notify.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>

#include "base/fd.hpp"
#include "tests/support/temporary_directory.hpp"

namespace ipop::app {
namespace {

// A service manager's end. A name that starts with '@' is in the abstract namespace.
class Manager {
 public:
  explicit Manager(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    if (::bind(socket_.get(), reinterpret_cast<sockaddr*>(&address), length) != 0) {
      ADD_FAILURE() << std::strerror(errno);
    }
  }

  std::string receive() {
    std::array<char, 256> buffer;
    const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    return got < 0 ? "<nothing>" : std::string(buffer.data(), static_cast<std::size_t>(got));
  }

 private:
  Fd socket_;
};

TEST(SdNotifier, TellsTheSocketOfTheEnvironment) {
  const TemporaryDirectory temporary;
  const std::string path = (temporary.path() / "notify").string();
  Manager manager(path);
  ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
  const SdNotifier notifier = SdNotifier::from_environment();
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(notifier.notify("READY=1"));
  EXPECT_EQ(manager.receive(), "READY=1");
  EXPECT_TRUE(notifier.notify("STOPPING=1"));
  EXPECT_EQ(manager.receive(), "STOPPING=1");
}

TEST(SdNotifier, KnowsTheAbstractNamespace) {
  const std::string name = "@ipop-test-" + std::to_string(::getpid());
  Manager manager(name);
  EXPECT_TRUE(SdNotifier(name).notify("READY=1"));
  EXPECT_EQ(manager.receive(), "READY=1");
}

TEST(SdNotifier, DoesNothingWithoutAManager) {
  ::unsetenv("NOTIFY_SOCKET");
  EXPECT_TRUE(SdNotifier::from_environment().notify("READY=1"));
}

TEST(SdNotifier, FailsWithoutHarm) {
  const TemporaryDirectory temporary;
  EXPECT_FALSE(SdNotifier((temporary.path() / "nobody").string()).notify("READY=1"));
  EXPECT_FALSE(SdNotifier("relative").notify("READY=1"));
  EXPECT_FALSE(SdNotifier("/" + std::string(200, 'x')).notify("READY=1"));
}

}  // namespace
}  // namespace ipop::app
