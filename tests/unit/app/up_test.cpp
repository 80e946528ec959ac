#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>

#include <fstream>
#include <sstream>

#include "tests/support/control_socket.hpp"
#include "tests/unit/app/command_line.hpp"

namespace ipop::app {
namespace {

namespace fs = std::filesystem;
using overlay::Status;
using overlay::control::kPatience;
using ::testing::HasSubstr;
using ::testing::StartsWith;

// The runtime directory is the fixture's; a shell script stands in for the daemon's process, and
// the fixture's control socket for what the daemon says.
class Up : public overlay::control::ControlSocket {
 protected:
  Up() {
    handlers_.status = [] {
      return Status{.addresses = {"192.168.10.10/24"}, .interface = {.name = "tapipop"}};
    };
    fs::create_directory(state_);
    write(config_,
          "network: {name: a network of some length, address: 192.168.10.10/24}\n"
          "paths: {state: " +
              state_.string() + ", runtime: " + directory().string() + "}\n");
  }

  static void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }
  static std::string content(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }

  Outcome up(const std::string& script, std::chrono::milliseconds patience = kPatience) {
    write(program_, "#!/bin/sh\n" + script);
    fs::permissions(program_, static_cast<fs::perms>(0700));
    return ipop({"up", "--config", config_.string()}, {.ipopd = program_, .patience = patience});
  }

  TemporaryDirectory files_;
  fs::path state_ = files_.path() / "state";
  fs::path config_ = files_.path() / "ipop.yaml";
  fs::path program_ = files_.path() / "ipopd";
};

TEST_F(Up, StartsTheDaemonAndWaitsForIt) {
  const fs::path pid_file = files_.path() / "pid";
  std::thread daemon([&] {
    while (!fs::exists(pid_file))
      std::this_thread::yield();
    start();
  });
  const Outcome outcome =
      up("echo \"$@\"\npwd\necho $$ > " + pid_file.string() + ".new\nmv " + pid_file.string() +
         ".new " + pid_file.string() + "\nexec sleep 1000\n");
  daemon.join();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "tapipop is up: 192.168.10.10/24\n");
  EXPECT_EQ(content(state_ / "ipopd.log"), "--config " + config_.string() + "\n/\n");
  EXPECT_EQ(fs::status(state_ / "ipopd.log").permissions(), static_cast<fs::perms>(0600));

  const pid_t pid = std::stoi(content(pid_file));
  EXPECT_EQ(::getsid(pid), pid);
  EXPECT_EQ(::kill(pid, SIGKILL), 0);
  EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

TEST_F(Up, SaysThatItIsUpAlready) {
  start();
  const Outcome outcome = up("touch " + (files_.path() / "started").string());
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "tapipop is up already: 192.168.10.10/24\n");
  EXPECT_FALSE(fs::exists(files_.path() / "started"));
}

TEST_F(Up, ShowsTheLastLinesOfADaemonThatEnds) {
  const Outcome outcome = up("seq 100 119\necho 'ipopd: no /dev/net/tun' >&2\nexit 3\n");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, StartsWith("ipop: ipopd did not come up, it ended with 3:\n111\n112\n"));
  EXPECT_THAT(outcome.err, HasSubstr("\n119\nipopd: no /dev/net/tun\n(from "));
}

TEST_F(Up, SaysHowADaemonEndedThatWroteNothing) {
  const Outcome outcome = up("kill -9 $$\n");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "ipop: ipopd did not come up, it ended with 137\n(from " +
                             (state_ / "ipopd.log").string() + ")\n");
}

TEST_F(Up, StopsADaemonThatDoesNotComeUpInTime) {
  const fs::path ended = files_.path() / "ended";
  const Outcome outcome = up("trap 'touch " + ended.string() + "; exit 0' TERM\necho started\n" +
                                 "while :; do sleep 0.01; done\n",
                             std::chrono::milliseconds(500));
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("ipopd was not up in time and was stopped:\nstarted\n"));
  EXPECT_TRUE(fs::exists(ended));
}

TEST_F(Up, KeepsTheLogOfTheTimeBefore) {
  EXPECT_EQ(up("echo first\nexit 1\n").code, 1);
  EXPECT_EQ(up("echo second\nexit 1\n").code, 1);
  EXPECT_EQ(content(state_ / "ipopd.log"), "second\n");
  EXPECT_EQ(content(state_ / "ipopd.log.1"), "first\n");
}

TEST_F(Up, ListsEveryErrorOfTheConfiguration) {
  write(config_, "network: {nam: x, adress: 7}\n");
  const Outcome outcome = up("touch " + (files_.path() / "started").string());
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, StartsWith("ipop: the configuration is not good\n" + config_.string()));
  EXPECT_THAT(outcome.err, HasSubstr("nam"));
  EXPECT_THAT(outcome.err, HasSubstr("adress"));
  EXPECT_FALSE(fs::exists(files_.path() / "started"));
}

TEST_F(Up, SaysWhatToDoWithoutAConfigurationOrState) {
  fs::remove(state_);
  Outcome outcome = up("exit 0\n");
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("run `ipop init` first"));
  fs::remove(config_);
  outcome = up("exit 0\n");
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr(config_.string()));
}

TEST_F(Up, RefusesARuntimeDirectoryThatIsNotTheConfigurations) {
  const Outcome outcome =
      ipop({"up", "--config", config_.string(), "--runtime", files_.path().string()});
  EXPECT_EQ(outcome.code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("change one"));
}

TEST_F(Up, SaysThatTheProgramCannotBeRun) {
  write(program_, "neither a script nor a program");
  const Outcome outcome =
      ipop({"up", "--config", config_.string()}, {.ipopd = program_, .patience = kPatience});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "ipop: starting " + program_.string() + ": Permission denied\n");
}

}  // namespace
}  // namespace ipop::app
