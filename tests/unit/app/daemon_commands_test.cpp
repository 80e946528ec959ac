// The subcommands that talk to a daemon, against a real control socket.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/control_socket.hpp"
#include "tests/unit/app/command_line.hpp"

namespace ipop::app {
namespace {

using overlay::PathKind;
using overlay::PeerStatus;
using overlay::Status;
using overlay::control::ControlSocket;
using overlay::control::PingReply;
using overlay::control::PingRequest;
using overlay::control::PingSink;
using overlay::control::ReloadReport;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class DaemonCommands : public ControlSocket {
 protected:
  DaemonCommands() {
    handlers_.status = [] {
      return Status{.hostname = "alice", .peers = {PeerStatus{.hostname = "bob"}}};
    };
  }

  Outcome run(std::vector<std::string> arguments, const Surroundings& surroundings = {}) {
    arguments.insert(arguments.end(), {"--runtime", directory().string()});
    return ipop(arguments, surroundings);
  }
};

TEST_F(DaemonCommands, ShowTheStatus) {
  start();
  const Outcome outcome = run({"status"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_THAT(outcome.out, StartsWith("alice in "));
  EXPECT_THAT(outcome.out, HasSubstr("\nPEER  ADDRESS"));
  EXPECT_THAT(outcome.out, HasSubstr("\nbob "));
  EXPECT_THAT(run({"peers"}).out, StartsWith("PEER  ADDRESS"));
}

TEST_F(DaemonCommands, ShowTheStatusAsJson) {
  start();
  const Outcome outcome = run({"status", "--json"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  const auto json = nlohmann::json::parse(outcome.out, nullptr, false);
  ASSERT_TRUE(json.is_object()) << outcome.out;
  EXPECT_EQ(json["hostname"], "alice");
  EXPECT_EQ(json["peers"][0]["hostname"], "bob");
}

TEST_F(DaemonCommands, ShowOnePeer) {
  start();
  EXPECT_THAT(run({"status", "bob"}).out, StartsWith("bob, idle"));
  EXPECT_EQ(nlohmann::json::parse(run({"status", "bob", "--json"}).out)["hostname"], "bob");
  const Outcome outcome = run({"status", "carol"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "ipop: no peer carol\n");
}

TEST_F(DaemonCommands, ShowBothVersions) {
  start();
  EXPECT_THAT(run({"version"}).out, HasSubstr("ipopd 0.1.0 (running)\n"));
}

TEST_F(DaemonCommands, PingAndTellThePath) {
  handlers_.ping = [](const PingRequest& request, const PingSink& sink) {
    EXPECT_EQ(request.address.to_string(), "10.0.0.2");
    EXPECT_EQ(request.count, 3u);
    (void)sink(PingReply{.rtt_ms = 0.5, .path = PathKind::kDirect, .endpoint = "192.0.2.1:4545"});
    (void)sink(PingReply{.why = "no handshake yet"});
    (void)sink(PingReply{.rtt_ms = 1.5,
                         .path = PathKind::kRelay,
                         .endpoint = "192.0.2.9:4545",
                         .relay_via = {"carol", "dave"}});
  };
  start();
  const Outcome outcome = run({"ping", "10.0.0.2", "-c", "3"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out,
            "10.0.0.2: answer to 1 in 0.50 ms, direct, 192.0.2.1:4545\n"
            "10.0.0.2: no answer to 2: no handshake yet\n"
            "10.0.0.2: answer to 3 in 1.50 ms, relay through carol, then dave, 192.0.2.9:4545\n"
            "3 sent, 2 answered: least 0.50 ms, mean 1.00 ms, most 1.50 ms\n");
}

TEST_F(DaemonCommands, PingAPeerByItsName) {
  handlers_.peer = [](std::string_view) -> Result<PeerStatus> {
    return PeerStatus{.addresses = {"10.0.0.2"}};
  };
  start();
  EXPECT_THAT(run({"ping", "bob", "-c", "1"}).out, StartsWith("10.0.0.2: answer to 1"));
}

TEST_F(DaemonCommands, FailWhenNoPingIsAnswered) {
  handlers_.ping = [](const PingRequest& request, const PingSink& sink) {
    for (unsigned i = 0; i < request.count; ++i)
      (void)sink(PingReply{});
  };
  start();
  const Outcome outcome = run({"ping", "10.0.0.2", "-c", "2"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("2 sent, 0 answered\n"));
}

TEST_F(DaemonCommands, FailWhenThePingIsRefused) {
  handlers_.ping = [](const PingRequest&, const PingSink& sink) {
    (void)sink(fail("nobody holds 10.0.0.2"));
  };
  start();
  const Outcome outcome = run({"ping", "10.0.0.2"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "ipop: nobody holds 10.0.0.2\n");
}

TEST_F(DaemonCommands, ReloadAndSayWhatHasToWait) {
  start();
  EXPECT_EQ(run({"reload"}).out,
            "changed now:\n  log.level\n"
            "changes after `ipop down` and `ipop up`:\n  interface.mtu\n");
}

TEST_F(DaemonCommands, ReloadAndSayThatNothingChanged) {
  handlers_.reload = [] { return Result<ReloadReport>(ReloadReport{}); };
  start();
  EXPECT_EQ(run({"reload"}).out, "the configuration is as it was\n");
}

TEST_F(DaemonCommands, GoDownAndWaitUntilTheDaemonIsGone) {
  start();
  std::thread daemon([this] {
    stopped_.get_future().wait();
    stop();
  });
  const Outcome outcome = run({"down"});
  EXPECT_FALSE(*overlay::control::RuntimeDirectory::is_in_use(directory()));
  daemon.join();
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "ipopd has stopped\n");
}

TEST_F(DaemonCommands, GoDownTwice) {
  const Outcome outcome = run({"down"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "ipopd is not running\n");
}

TEST_F(DaemonCommands, SayThatTheDaemonDoesNotGoDown) {
  start();
  const Outcome outcome = run({"down"}, {.patience = std::chrono::milliseconds(50)});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_EQ(outcome.err, "ipop: ipopd was told to stop and still runs: see its log\n");
}

}  // namespace
}  // namespace ipop::app
