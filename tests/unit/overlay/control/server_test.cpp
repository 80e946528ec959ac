#include "overlay/control/server.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "tests/support/control_socket.hpp"

namespace ipop::overlay::control {
namespace {

using Json = nlohmann::json;
using ControlServer = ControlSocket;

constexpr const char* kVersion = R"({"command":"version"})"
                                 "\n";
constexpr const char* kVersionAnswer = R"({"ok":true,"result":{"version":"0.1.0"}})";

TEST_F(ControlServer, MakesASocketForTheOwnerAlone) {
  start();
  const auto path = socket_path(directory());
  ASSERT_TRUE(std::filesystem::is_socket(path));
  EXPECT_EQ(std::filesystem::status(path).permissions(), static_cast<std::filesystem::perms>(0600));
  stop();
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(ControlServer, ReplacesTheSocketOfADeadDaemon) {
  {
    asio::local::stream_protocol::acceptor dead(
        loop_, asio::local::stream_protocol::endpoint(socket_path(directory()).string()));
  }
  ASSERT_TRUE(std::filesystem::is_socket(socket_path(directory())));
  start();
  RawClient client(directory());
  client.send(kVersion);
  EXPECT_EQ(client.line(), kVersionAnswer);
}

TEST_F(ControlServer, DoesNotRemoveWhatIsNotASocket) {
  std::ofstream(socket_path(directory())) << "precious";
  const RuntimeDirectory runtime(directory());
  EXPECT_THROW(Server(loop_, runtime, "0.1.0", handlers_), std::runtime_error);
  EXPECT_TRUE(std::filesystem::is_regular_file(socket_path(directory())));
}

TEST_F(ControlServer, RefusesAPathThatIsTooLongForASocket) {
  const RuntimeDirectory runtime(directory() / std::string(120, 'x'));
  EXPECT_THROW(Server(loop_, runtime, "0.1.0", handlers_), std::runtime_error);
}

TEST_F(ControlServer, AnswersOneRequestAfterAnother) {
  start();
  RawClient client(directory());
  client.send(kVersion);
  EXPECT_EQ(client.line(), kVersionAnswer);
  client.send("{\"command\":\"status\"}\n{\"command\":\"reload\"}\n");
  EXPECT_EQ(Json::parse(client.line())["result"]["hostname"], "alice");
  EXPECT_EQ(Json::parse(client.line())["result"],
            Json::parse(R"({"applied":["log.level"],"needs_restart":["interface.mtu"]})"));
}

TEST_F(ControlServer, AnswersARequestThatComesInPieces) {
  start();
  RawClient client(directory());
  client.send(R"({"command")");
  client.send(R"(:"version"})");
  client.send("\n");
  EXPECT_EQ(client.line(), kVersionAnswer);
}

TEST_F(ControlServer, AnswersAClientThatHasFinishedSending) {
  start();
  RawClient client(directory());
  client.send(kVersion);
  client.finish_sending();
  EXPECT_EQ(client.line(), kVersionAnswer);
  EXPECT_EQ(client.line(), "<end>");
}

TEST_F(ControlServer, AnswersNonsenseAndGoesOn) {
  start();
  RawClient client(directory());
  for (const char* nonsense :
       {"\n", "hello\n", "{}\n", "[]\n", "\xff\xfe\n", "{\"command\":1}\n"}) {
    client.send(nonsense);
    const Json answer = Json::parse(client.line(), nullptr, false);
    ASSERT_TRUE(answer.is_object()) << nonsense;
    EXPECT_EQ(answer["ok"], false) << nonsense;
    EXPECT_NE(answer["error"], "") << nonsense;
  }
  client.send(kVersion);
  EXPECT_EQ(client.line(), kVersionAnswer);
}

TEST_F(ControlServer, HandsOnWhatAHandlerSays) {
  handlers_.reload = [] { return Result<ReloadReport>(fail("line 3: no such key")); };
  start();
  RawClient client(directory());
  client.send("{\"command\":\"reload\"}\n{\"command\":\"peer\",\"who\":\"bob\"}\n");
  EXPECT_EQ(client.line(), R"({"ok":false,"error":"line 3: no such key"})");
  EXPECT_EQ(Json::parse(client.line())["result"]["hostname"], "bob");
  client.send("{\"command\":\"peer\",\"who\":\"carol\"}\n");
  EXPECT_EQ(client.line(), R"({"ok":false,"error":"no peer carol"})");
}

TEST_F(ControlServer, HangsUpOnARequestThatIsTooLong) {
  start({.request_bytes = 1024});
  RawClient client(directory());
  client.send(std::string(5000, ' '));
  EXPECT_EQ(client.line(), R"({"ok":false,"error":"the request is longer than 1024 bytes"})");
  EXPECT_EQ(client.line(), "<end>");
  EXPECT_TRUE(eventually([this] { return server_->clients() == 0; }));
}

TEST_F(ControlServer, RefusesMoreClientsThanItHasRoomFor) {
  start({.clients = 2});
  RawClient first(directory());
  RawClient second(directory());
  ASSERT_TRUE(eventually([this] { return server_->clients() == 2; }));
  RawClient third(directory());
  EXPECT_EQ(third.line(), R"({"ok":false,"error":"2 clients are connected already: try again"})");
  EXPECT_EQ(third.line(), "<end>");
  first.hang_up();
  ASSERT_TRUE(eventually([this] { return server_->clients() == 1; }));
  RawClient fourth(directory());
  fourth.send(kVersion);
  EXPECT_EQ(fourth.line(), kVersionAnswer);
}

TEST_F(ControlServer, CutsOffAnIdleClient) {
  start({.idle = std::chrono::milliseconds(20)});
  RawClient client(directory());
  client.send("{\"command\":");
  EXPECT_EQ(client.line(), "<end>");
  EXPECT_TRUE(eventually([this] { return server_->clients() == 0; }));
}

TEST_F(ControlServer, SaysWhenAnAnswerIsTooLarge) {
  handlers_.status = [] { return Status{.hostname = std::string(5000, 'a')}; };
  start({.answer_bytes = 4096});
  RawClient client(directory());
  client.send("{\"command\":\"status\"}\n");
  EXPECT_EQ(client.line(),
            R"({"ok":false,"error":"the answer is larger than this socket carries"})");
  client.send(kVersion);
  EXPECT_EQ(client.line(), kVersionAnswer);
}

TEST_F(ControlServer, AnswersBeforeItStops) {
  start();
  RawClient client(directory());
  client.send("{\"command\":\"stop\"}\n");
  EXPECT_EQ(client.line(), R"({"ok":true,"result":{}})");
  EXPECT_EQ(stopped_.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST_F(ControlServer, StopsAlsoForAClientThatDoesNotWait) {
  start();
  RawClient client(directory());
  client.send("{\"command\":\"stop\"}\n");
  client.hang_up();
  EXPECT_EQ(stopped_.get_future().wait_for(kPatience), std::future_status::ready);
}

TEST_F(ControlServer, MayBeDestroyedByTheStopHandler) {
  handlers_.stop = [this] {
    server_.reset();
    stopped_.set_value();
  };
  start();
  RawClient client(directory());
  client.send("{\"command\":\"stop\"}\n");
  EXPECT_EQ(client.line(), R"({"ok":true,"result":{}})");
  EXPECT_EQ(stopped_.get_future().wait_for(kPatience), std::future_status::ready);
  EXPECT_EQ(client.line(), "<end>");
}

// Keeps the sink, as the overlay does while it waits for answers of the peer.
class ControlServerPing : public ControlSocket {
 protected:
  ControlServerPing() {
    handlers_.ping = [this](const PingRequest&, PingSink sink) { sink_ = std::move(sink); };
  }

  void ask(RawClient& client, int count) {
    client.send(R"({"command":"ping","address":"10.0.0.2","count":)" + std::to_string(count) +
                "}\n");
    ASSERT_TRUE(eventually([this] { return sink_ != nullptr; }));
  }
  bool reply(Result<PingReply> reply) {
    return on_loop([&] { return sink_(std::move(reply)); });
  }

  PingSink sink_;
};

TEST_F(ControlServerPing, StreamsEachReplyAsItComes) {
  start();
  RawClient client(directory());
  ask(client, 2);
  EXPECT_TRUE(reply(PingReply{.rtt_ms = 0.5, .path = PathKind::kLan, .endpoint = "10.1.1.1:4545"}));
  EXPECT_EQ(client.line(),
            R"({"ok":true,"result":{"sequence":1,"answered":true,"rtt_ms":0.5,"path":"lan",)"
            R"("endpoint":"10.1.1.1:4545","relay_via":[],"why":""}})");
  EXPECT_FALSE(reply(PingReply{.why = "no answer"}));
  EXPECT_EQ(client.line(),
            R"({"ok":true,"result":{"sequence":2,"answered":false,"rtt_ms":null,"path":"none",)"
            R"("endpoint":"","relay_via":[],"why":"no answer"}})");
  EXPECT_EQ(client.line(), R"({"ok":true,"done":true,"result":{"sent":2,"answered":1}})");
  EXPECT_FALSE(reply(PingReply{}));
  client.send(kVersion);
  EXPECT_EQ(client.line(), kVersionAnswer);
}

TEST_F(ControlServerPing, EndsWithTheErrorOfTheOverlay) {
  start();
  RawClient client(directory());
  ask(client, 3);
  EXPECT_FALSE(reply(fail("nobody holds 10.0.0.2")));
  EXPECT_EQ(client.line(), R"({"ok":false,"done":true,"error":"nobody holds 10.0.0.2"})");
}

TEST_F(ControlServerPing, IgnoresTheReplyToAnEarlierPing) {
  start();
  RawClient client(directory());
  ask(client, 1);
  const PingSink early = on_loop([this] { return std::exchange(sink_, nullptr); });
  EXPECT_FALSE(on_loop([&] { return early(fail("gone")); }));
  EXPECT_NE(client.line(), "<end>");
  ask(client, 1);
  EXPECT_FALSE(on_loop([&] { return early(PingReply{.rtt_ms = 1}); }));
  EXPECT_FALSE(reply(PingReply{.rtt_ms = 9}));
  EXPECT_EQ(Json::parse(client.line())["result"]["rtt_ms"], 9);
}

TEST_F(ControlServerPing, EndsWhenTheClientIsGone) {
  start();
  RawClient client(directory());
  ask(client, 10'000);
  client.hang_up();
  EXPECT_TRUE(eventually([this] { return !sink_(PingReply{.rtt_ms = 1}); }));
}

TEST_F(ControlServerPing, CutsOffAClientThatDoesNotRead) {
  start({.answer_bytes = 4096});
  RawClient client(directory());
  ask(client, 10'000);
  unsigned taken = 0;
  EXPECT_TRUE(eventually([&] { return ++taken == 9'999 || !sink_(PingReply{.rtt_ms = 1}); }));
  EXPECT_LT(taken, 9'999u);
}

TEST_F(ControlServerPing, OutlivesTheServer) {
  start();
  RawClient client(directory());
  ask(client, 2);
  on_loop([this] { server_.reset(); });
  EXPECT_FALSE(reply(PingReply{.rtt_ms = 1}));
  EXPECT_EQ(client.line(), "<end>");
}

}  // namespace
}  // namespace ipop::overlay::control
