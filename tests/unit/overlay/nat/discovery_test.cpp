#include "overlay/nat/discovery.hpp"

#include <gtest/gtest.h>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

Endpoint endpoint(std::string_view text) {
  return *Endpoint::parse(text);
}

class Discovery : public testing::Test {
 protected:
  const Endpoint server = endpoint("192.0.2.1:3478");
  const Endpoint stranger = endpoint("198.51.100.9:9");
  const Endpoint peer = endpoint("198.51.100.1:4545");
  const Endpoint outside = endpoint("203.0.113.5:61000");

  Instant now{1h};
  std::vector<std::pair<Endpoint, stun::Message>> sent;
  unsigned changes = 0;
  NatDiscovery nat{[this](const Endpoint& to, ByteView datagram) {
                     sent.emplace_back(to, stun::Message(datagram.begin(), datagram.end()));
                   },
                   [this](Instant) { ++changes; }};
};

TEST_F(Discovery, AsksAndLearns) {
  nat.set_servers({server}, now);
  nat.service(now);
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].first, server);
  const auto answer = stun::encode_response(*stun::parse_request(sent[0].second), outside);
  EXPECT_FALSE(nat.on_datagram(stranger, answer, now));
  EXPECT_EQ(changes, 0u);
  EXPECT_TRUE(nat.on_datagram(server, answer, now));
  EXPECT_EQ(changes, 1u);
  EXPECT_EQ(nat.mappings().endpoints(), std::vector{outside});
  nat.set_local({endpoint("10.0.0.1:4545")}, now);
  EXPECT_TRUE(nat.mappings().endpoints().empty()) << "of another network";
  nat.service(now);
  EXPECT_EQ(sent.size(), 2u) << "and asked anew";
}

TEST_F(Discovery, AnswersWhoAsks) {
  EXPECT_TRUE(nat.on_datagram(stranger, stun::encode_request({1}), now));
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].first, stranger);
  EXPECT_EQ(stun::parse_response(sent[0].second)->mapped, stranger);
}

TEST_F(Discovery, AsksAgainWhenInDoubtButNotAllTheTime) {
  nat.set_servers({server}, now);
  nat.service(now);
  (void)nat.on_datagram(server,
                        stun::encode_response(*stun::parse_request(sent[0].second), outside), now);
  for (int i = 0; i < 1000; ++i) {
    nat.ask_again(now);
    nat.service(now);
  }
  EXPECT_EQ(sent.size(), 2u);
}

// Each change is published and told to all: a peer must not be able to cause one with every pong.
TEST_F(Discovery, LetsAPeerThatLiesChangeLittle) {
  for (std::uint16_t port = 1; port <= 1000; ++port) {
    nat.on_observed({peer.address, port}, {outside.address, port}, now);
    now += 10ms;
  }
  EXPECT_EQ(changes, 10s / NatDiscovery::kPeersChangeEvery);
}

}  // namespace
}  // namespace ipop::overlay
