#include "overlay/nat/stun_server.hpp"

#include <gtest/gtest.h>

namespace ipop::overlay::stun {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{1h};

TEST(StunServer, AnswersRequestsAndNothingElse) {
  Server server;
  const Endpoint source = *Endpoint::parse("192.0.2.7:77");
  const Message request = encode_request({1, 2, 3});
  const auto answer = server.answer(source, request, kStart);
  ASSERT_TRUE(answer);
  EXPECT_EQ(parse_response(answer->message)->mapped, source);
  EXPECT_EQ(answer->to, source);
  EXPECT_FALSE(answer->from_other_port);
  // Two servers must not keep each other busy.
  EXPECT_FALSE(server.answer(source, answer->message, kStart));
  EXPECT_EQ(server.counters().answered, 1u);
  EXPECT_EQ(server.counters().malformed, 1u);
}

TEST(StunServer, AnswersToAnotherPortAndFromAnotherPortWhereAsked) {
  Server server(true);
  const Endpoint source = *Endpoint::parse("192.0.2.7:77");
  const auto to = server.answer(source, encode_request({1}, {.response_port = 78}), kStart);
  ASSERT_TRUE(to);
  EXPECT_EQ(to->to, *Endpoint::parse("192.0.2.7:78"));
  EXPECT_EQ(parse_response(to->message)->mapped, source);
  EXPECT_FALSE(to->from_other_port);
  const auto from = server.answer(source, encode_request({1}, {.from_other_port = true}), kStart);
  ASSERT_TRUE(from);
  EXPECT_EQ(from->to, source);
  EXPECT_TRUE(from->from_other_port);
  EXPECT_EQ(parse_response(from->message)->mapped, source);
}

TEST(StunServer, RefusesAnotherPortThatItHasNot) {
  const auto refused = [](Server server, const char* source) {
    const auto answer =
        server.answer(*Endpoint::parse(source),
                      encode_request({1}, {.response_port = 9, .from_other_port = true}), kStart);
    return answer && !answer->from_other_port && answer->to == *Endpoint::parse(source) &&
           !parse_response(answer->message)->mapped;
  };
  EXPECT_TRUE(refused(Server(false), "192.0.2.7:77"));
  EXPECT_TRUE(refused(Server(true), "[2001:db8::1]:77"));
  EXPECT_FALSE(refused(Server(true), "192.0.2.7:77"));
}

TEST(StunServer, GivesOneSourceALimitedNumber) {
  Server server;
  const Message request = encode_request({});
  unsigned answered = 0;
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    if (server.answer({IpAddress::v4(0xc0000207), port}, request, kStart)) ++answered;
  }
  EXPECT_EQ(answered, handshake::SourceLimiter::kBurst);
  EXPECT_TRUE(server.answer({IpAddress::v4(0xc0000208), 1}, request, kStart));
  EXPECT_TRUE(server.answer({IpAddress::v4(0xc0000207), 1}, request, kStart + 1s));
}

TEST(StunServer, GivesAllTogetherALimitedNumber) {
  Server server;
  const Message request = encode_request({});
  unsigned answered = 0;
  for (std::uint32_t source = 0; source < 5000; ++source) {
    if (server.answer({IpAddress::v4(0x0a000000 + source), 9}, request, kStart)) ++answered;
  }
  EXPECT_EQ(answered, Server::kPerSecond);
  EXPECT_EQ(server.counters().limited, 5000 - Server::kPerSecond);
  EXPECT_TRUE(server.answer({IpAddress::v4(0x0b000000), 9}, request, kStart + 1s));
}

}  // namespace
}  // namespace ipop::overlay::stun
