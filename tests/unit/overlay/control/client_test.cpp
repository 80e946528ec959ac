#include "overlay/control/client.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "overlay/control/answer.hpp"
#include "tests/support/control_socket.hpp"

namespace ipop::overlay::control {
namespace {

using ControlClient = ControlSocket;

TEST_F(ControlClient, GetsTheResult) {
  start();
  auto client = Client::connect(directory());
  ASSERT_TRUE(client) << client.error().message;
  for (int i = 0; i < 3; ++i) {
    const auto result = client->call({{"command", "version"}}, kPatience);
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_EQ((*result)["version"], "0.1.0");
  }
}

TEST_F(ControlClient, GetsTheErrorOfTheDaemon) {
  start();
  auto client = Client::connect(directory());
  ASSERT_TRUE(client);
  const auto result = client->call({{"command", "peer"}, {"who", "carol"}}, kPatience);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "no peer carol");
}

TEST_F(ControlClient, GetsALargeAnswer) {
  handlers_.status = [] { return Status{.hostname = std::string(1'000'000, 'a')}; };
  start();
  auto client = Client::connect(directory());
  ASSERT_TRUE(client);
  const auto result = client->call({{"command", "status"}}, kPatience);
  ASSERT_TRUE(result) << result.error().message;
  EXPECT_EQ((*result)["hostname"].get<std::string>().size(), 1'000'000u);
}

TEST_F(ControlClient, GetsEveryReplyOfAPing) {
  start();
  auto client = Client::connect(directory());
  ASSERT_TRUE(client);
  ASSERT_TRUE(
      client->send({{"command", "ping"}, {"address", "10.0.0.2"}, {"count", 50}}, kPatience));
  for (int i = 1; i <= 50; ++i) {
    const auto answer = client->receive(kPatience);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_FALSE(answer->done);
    EXPECT_EQ(answer->result["sequence"], i);
  }
  const auto last = client->receive(kPatience);
  ASSERT_TRUE(last);
  EXPECT_TRUE(last->done);
  EXPECT_EQ(last->result["answered"], 50);
}

TEST_F(ControlClient, SaysWhatToDoWhenNoDaemonRuns) {
  const auto missing = Client::connect(directory());
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "no ipopd answers at " + socket_path(directory()).string() +
                                         ": is it running? start it with `ipop up`");
  {
    asio::local::stream_protocol::acceptor dead(
        loop_, asio::local::stream_protocol::endpoint(socket_path(directory()).string()));
  }
  const auto refused = Client::connect(directory());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, missing.error().message);
}

TEST_F(ControlClient, RefusesAPathThatIsTooLongForASocket) {
  const auto client = Client::connect(directory() / std::string(120, 'x'));
  ASSERT_FALSE(client);
  EXPECT_NE(client.error().message.find("too long"), std::string::npos);
}

TEST_F(ControlClient, ReadsWhyItWasRefusedThoughItCouldNotSend) {
  start({.clients = 0});
  auto client = Client::connect(directory());
  ASSERT_TRUE(client);
  const auto result = client->call({{"command", "version"}}, kPatience);
  ASSERT_FALSE(result);
}

// A server that says what the test wants.
class ControlClientAlone : public ::testing::Test {
 protected:
  ControlClientAlone()
      : acceptor_(loop_,
                  asio::local::stream_protocol::endpoint(socket_path(temporary_.path()).string())) {
  }

  std::string answer_to(std::string_view said) {
    auto client = Client::connect(temporary_.path());
    if (!client) return client.error().message;
    auto server = acceptor_.accept();
    asio::write(server, asio::buffer(said.data(), said.size()));
    server.shutdown(asio::socket_base::shutdown_send);
    const auto answer = client->receive(kPatience);
    return answer ? "result: " + answer->result.dump() : answer.error().message;
  }

  TemporaryDirectory temporary_;
  asio::io_context loop_;
  asio::local::stream_protocol::acceptor acceptor_;
};

TEST_F(ControlClientAlone, GivesUpWhenTheDeadlineIsOver) {
  auto client = Client::connect(temporary_.path());
  ASSERT_TRUE(client);
  const auto result = client->call({{"command", "version"}}, std::chrono::milliseconds(20));
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("does not answer in time"), std::string::npos);
}

TEST_F(ControlClientAlone, DoesNotTrustTheAnswer) {
  EXPECT_NE(answer_to("").find("hung up without an answer"), std::string::npos);
  EXPECT_NE(answer_to(R"({"ok":true})").find("hung up without an answer"), std::string::npos);
  for (const char* nonsense : {"\n", "nonsense\n", "[]\n", "{}\n", "{\"ok\":1}\n"}) {
    EXPECT_NE(answer_to(nonsense).find("not understood"), std::string::npos) << nonsense;
  }
  EXPECT_EQ(answer_to("{\"ok\":false}\n"), "the daemon refused, and did not say why");
  EXPECT_EQ(answer_to("{\"ok\":false,\"error\":[]}\n"), "the daemon refused, and did not say why");
  EXPECT_EQ(answer_to("{\"ok\":true,\"done\":\"no\"}\n"), "result: null");
}

}  // namespace
}  // namespace ipop::overlay::control
