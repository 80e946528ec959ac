#include "engine/net/plain_datagram.hpp"

#include <gtest/gtest.h>

#include <random>

#include "link.hpp"

namespace ipop::engine {
namespace {

using namespace testing;

const Bytes kPayload = hex("0102030405060708");

Bytes plain_v4() {
  return framed(kOurMac, kTheirMac, 0x0800, Ipv4{.payload = udp(4545, 4546, kPayload)}.bytes());
}
Bytes plain_v6() {
  return framed(kOurMac, kTheirMac, 0x86dd,
                summed(Ipv6{.payload = udp(4545, 4546, kPayload)}.bytes()));
}

TEST(PlainDatagrams, TakesWhatIsPlain) {
  const PlainDatagrams plain(both_families());
  PlainDatagram datagram;
  ASSERT_TRUE(plain.parse(plain_v4(), {}, datagram));
  EXPECT_EQ(datagram.source, (Endpoint{ip("192.0.2.2"), 4545}));
  EXPECT_EQ(datagram.port, 4546);
  EXPECT_EQ(datagram.start, 42);
  EXPECT_EQ(datagram.length, kPayload.size());
  ASSERT_TRUE(plain.parse(plain_v6(), {.udp = true}, datagram));
  EXPECT_EQ(datagram.source, (Endpoint{ip("2001:db8::2"), 4545}));
  EXPECT_EQ(datagram.port, 4546);
  EXPECT_EQ(datagram.start, 62);
  EXPECT_EQ(datagram.length, kPayload.size());
}

TEST(PlainDatagrams, LeavesChecksumsThatNobodyCheckedToTheStack) {
  const PlainDatagrams plain(both_families());
  PlainDatagram datagram;
  const Bytes checked =
      framed(kOurMac, kTheirMac, 0x0800, summed(Ipv4{.payload = udp(1, 2, kPayload)}.bytes()));
  EXPECT_FALSE(plain.parse(checked, {}, datagram));
  EXPECT_TRUE(plain.parse(checked, {.udp = true}, datagram));
  EXPECT_FALSE(plain.parse(plain_v6(), {}, datagram));
}

TEST(PlainDatagrams, KnowsTheVlanThatTheCardTookOut) {
  const PlainDatagrams plain(on_vlan(7));
  PlainDatagram datagram;
  EXPECT_TRUE(plain.parse(plain_v4(), {.vlan = 7}, datagram));
  EXPECT_FALSE(plain.parse(plain_v4(), {.vlan = 8}, datagram));
  EXPECT_FALSE(plain.parse(plain_v4(), {}, datagram));
}

// Whatever is changed in a good frame: what it takes, the stack takes, and finds the same in it.
void expect_no_more_than_the_stack(const Bytes& good, std::size_t headers, unsigned seed) {
  std::mt19937 random(seed);
  const PlainDatagrams plain(both_families());
  int taken = 0;
  for (int round = 0; round < 50'000; ++round) {
    Bytes frame = good;
    for (auto changes = random() % 3; changes != 0; --changes)
      frame[random() % headers] = static_cast<std::uint8_t>(random());
    if (random() % 8 == 0) frame.resize(random() % (frame.size() + 4));
    frame.shrink_to_fit();
    const CardChecks checked{.ip = random() % 2 == 0, .udp = random() % 2 == 0};
    PlainDatagram datagram;
    if (!plain.parse(frame, checked, datagram)) continue;
    ++taken;
    Link link;
    const LinkStack::Received received = link.receive(frame, checked);
    ASSERT_EQ(received.verdict, LinkVerdict::kDatagram) << round;
    EXPECT_EQ(datagram.source, received.datagram.source);
    EXPECT_EQ(datagram.port, received.datagram.destination.port);
    EXPECT_EQ(datagram.start, received.ip + received.datagram.start);
    EXPECT_EQ(datagram.length, received.datagram.length);
  }
  EXPECT_GT(taken, 2'500);
}

TEST(PlainDatagrams, TakesNothingThatTheStackRefusesOverIpv4) {
  expect_no_more_than_the_stack(plain_v4(), 42, 1);
}

TEST(PlainDatagrams, TakesNothingThatTheStackRefusesOverIpv6) {
  expect_no_more_than_the_stack(plain_v6(), 62, 2);
}

}  // namespace
}  // namespace ipop::engine
