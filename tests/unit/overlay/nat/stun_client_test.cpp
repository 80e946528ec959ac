#include "overlay/nat/stun_client.hpp"

#include <gtest/gtest.h>

namespace ipop::overlay::stun {
namespace {

using namespace std::chrono_literals;

Endpoint endpoint(std::string_view text) {
  return *Endpoint::parse(text);
}

class StunClient : public testing::Test {
 protected:
  struct Sent {
    Endpoint to;
    Message request;
    Instant at;
  };

  const Endpoint one = endpoint("192.0.2.1:3478");
  const Endpoint two = endpoint("192.0.2.2:3478");
  const Endpoint outside = endpoint("203.0.113.5:61000");

  Instant now{1h};
  std::vector<Sent> sent;
  std::vector<std::pair<Endpoint, Endpoint>> told;  // server, mapped
  Client client{[this](const Endpoint& to, ByteView request) {
                  sent.push_back({to, {request.begin(), request.end()}, now});
                },
                [this](const Endpoint& server, const Endpoint& mapped, Instant) {
                  told.emplace_back(server, mapped);
                }};

  // Serves whatever is due until `until`.
  void run(Instant until) {
    while (client.deadline() <= until) {
      now = std::max(now, client.deadline());
      client.service(now);
    }
    now = until;
  }
  [[nodiscard]] Message answer_to(const Sent& each, const Endpoint& mapped) const {
    return encode_response(*parse_request(each.request), mapped);
  }
};

TEST_F(StunClient, AsksAllAtOnceAndTellsWhatTheySay) {
  client.set_servers({one, two, one}, now);
  run(now);
  ASSERT_EQ(sent.size(), 2u);
  EXPECT_NE(parse_request(sent[0].request)->id, parse_request(sent[1].request)->id);
  EXPECT_TRUE(client.on_response(one, answer_to(sent[0], outside), now));
  EXPECT_TRUE(client.on_response(two, answer_to(sent[1], outside), now));
  EXPECT_EQ(told, (std::vector<std::pair<Endpoint, Endpoint>>{{one, outside}, {two, outside}}));
  run(now + Client::kRefresh - 1ms);
  EXPECT_EQ(sent.size(), 2u);
  run(now + 1ms);
  EXPECT_EQ(sent.size(), 4u) << "to keep the mapping, and to see a new one";
}

TEST_F(StunClient, RepeatsTheSameQuestionEverMoreSlowlyAndRests) {
  client.set_servers({one}, now);
  const Instant start = now;
  run(start + 10s);
  ASSERT_EQ(sent.size(), Client::kTries);
  const Duration times[] = {0ms, 200ms, 600ms, 1400ms, 3000ms};
  for (unsigned i = 0; i < Client::kTries; ++i) {
    EXPECT_EQ(sent[i].at - start, times[i]);
    EXPECT_EQ(sent[i].request, sent[0].request);
  }
  EXPECT_FALSE(client.servers()[0].answers);
  run(start + 30s);
  EXPECT_GT(sent.size(), Client::kTries) << "it may come back";
  EXPECT_NE(sent[Client::kTries].request, sent[0].request);
}

TEST_F(StunClient, AsksEverMoreSeldomWhoNeverAnswers) {
  client.set_servers({one}, now);
  run(now + 1h);
  const std::size_t in_an_hour = sent.size();
  EXPECT_LT(in_an_hour, 20 * Client::kTries);
  run(now + 1h);
  EXPECT_GE(sent.size() - in_an_hour, 60 / 6 * Client::kTries) << "but does not give it up";
}

TEST_F(StunClient, BelievesNobodyWhoWasNotAsked) {
  client.set_servers({one}, now);
  run(now);
  const Message answer = answer_to(sent[0], outside);
  EXPECT_FALSE(client.on_response(two, answer, now)) << "another source";
  EXPECT_FALSE(client.on_response(one, encode_response({}, outside), now)) << "another transaction";
  EXPECT_FALSE(client.on_response(one, sent[0].request, now)) << "our own question";
  EXPECT_TRUE(told.empty());
  EXPECT_TRUE(client.on_response(one, answer, now));
  EXPECT_FALSE(client.on_response(one, answer, now)) << "twice";
  EXPECT_EQ(told.size(), 1u);
}

TEST_F(StunClient, TakesARefusalForNoAnswerAndAsksOn) {
  client.set_servers({one}, now);
  run(now);
  Request request = *parse_request(sent[0].request);
  request.not_known = {3};
  EXPECT_TRUE(client.on_response(one, encode_response(request, outside), now));
  EXPECT_TRUE(told.empty());
  EXPECT_FALSE(client.servers()[0].answers);
  EXPECT_EQ(client.deadline(), now + Client::kRefresh);
}

TEST_F(StunClient, AsksTheOthersAtOnceWhenOneSeesSomethingElse) {
  client.set_servers({one, two}, now);
  run(now);
  EXPECT_TRUE(client.on_response(one, answer_to(sent[0], outside), now));
  EXPECT_TRUE(client.on_response(two, answer_to(sent[1], outside), now));
  run(now + Client::kRefresh);
  ASSERT_EQ(sent.size(), 4u);
  EXPECT_TRUE(client.on_response(two, answer_to(sent[3], outside), now));
  const std::size_t before = sent.size();
  EXPECT_TRUE(client.on_response(one, answer_to(sent[2], endpoint("203.0.113.5:61001")), now));
  run(now);
  ASSERT_EQ(sent.size(), before + 1);
  EXPECT_EQ(sent.back().to, two);
}

TEST_F(StunClient, DoesNotAskServersAnewThatStay) {
  client.set_servers({one}, now);
  run(now);
  client.set_servers({two, one}, now);
  run(now);
  EXPECT_EQ(sent.size(), 2u);
  EXPECT_TRUE(client.on_response(one, answer_to(sent[0], outside), now));
  client.restart(now);
  run(now);
  EXPECT_EQ(sent.size(), 4u);
  client.set_servers({}, now);
  EXPECT_EQ(client.deadline(), Instant::max());
}

TEST_F(StunClient, HasALimitOfServers) {
  std::vector<Endpoint> many;
  for (std::uint16_t port = 1; port <= 100; ++port)
    many.push_back({IpAddress::v4(0xc0000201), port});
  client.set_servers(many, now);
  run(now);
  EXPECT_EQ(sent.size(), Client::kMostServers);
}

}  // namespace
}  // namespace ipop::overlay::stun
