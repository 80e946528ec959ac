// Datagrams on their way out and in. Neighbours that have to be found stand in
// ethdev_port_neighbours_test.cpp, what is dropped in ethdev_port_refusals_test.cpp.
#include "ring_link.hpp"

namespace ipop::engine {
namespace {

using testing::Bytes;
using testing::framed;
using testing::hex;
using testing::ip;
using testing::Ipv4;
using testing::Ipv6;
using testing::join;
using testing::kOurMac;
using testing::kTheirMac;
using testing::Outcome;
using testing::slow_checksum;
using testing::slow_message_checksum;
using testing::summed;
using testing::Taken;
using testing::udp;

class EthdevPortTest : public testing::RingLink {};

const Bytes kSealed = hex("04000000 11223344 5566778899aabbcc 00010203");
const Bytes kRelayed = hex("05080000 11223344 99");
const Bytes kHandshake = hex("01000000 11223344 55");

Endpoint endpoint(const std::string& text, std::uint16_t socket = 0) {
  Endpoint parsed = Endpoint::parse(text).value();
  parsed.socket = socket;
  return parsed;
}

Bytes frame4(ByteView payload, std::uint16_t to = 4545, const std::string& from = "192.0.2.2") {
  return framed(kOurMac, kTheirMac, 0x0800,
                summed(Ipv4{.source = from, .payload = udp(1111, to, payload)}.bytes()));
}

Bytes frame6(ByteView payload) {
  return framed(kOurMac, kTheirMac, 0x86dd,
                summed(Ipv6{.payload = udp(1111, 4545, payload)}.bytes()));
}

struct Layout {
  std::size_t ip = 14;
  bool v4 = true;
  bool has_checksum = true;
};

// Headers, checksums and payload of a frame that left.
void expect_datagram(const Bytes& frame, const Layout& layout, ByteView payload) {
  const std::size_t udp_at = layout.ip + (layout.v4 ? 20 : 40);
  ASSERT_EQ(frame.size(), udp_at + 8 + payload.size());
  EXPECT_EQ(MacAddress::at(&frame[0]), kTheirMac);
  EXPECT_EQ(MacAddress::at(&frame[6]), kOurMac);
  const ByteView packet = ByteView(frame).subspan(layout.ip);
  if (layout.v4) {
    EXPECT_EQ(load_be<std::uint16_t>(&frame[layout.ip - 2]), 0x0800);
    EXPECT_EQ(packet[0], 0x45);
    EXPECT_EQ(load_be<std::uint16_t>(&packet[2]), packet.size());
    EXPECT_EQ(slow_checksum(packet.first(20)), 0);
    EXPECT_EQ(IpAddress::v4_at(&packet[12]), ip("192.0.2.1"));
  } else {
    EXPECT_EQ(load_be<std::uint16_t>(&frame[layout.ip - 2]), 0x86dd);
    EXPECT_EQ(packet[0] >> 4, 6);
    EXPECT_EQ(load_be<std::uint16_t>(&packet[4]), packet.size() - 40);
    EXPECT_EQ(IpAddress::v6_at(&packet[8]), ip("2001:db8::1"));
  }
  EXPECT_EQ(load_be<std::uint16_t>(&frame[udp_at + 4]), 8 + payload.size());
  if (layout.has_checksum) {
    EXPECT_NE(load_be<std::uint16_t>(&frame[udp_at + 6]), 0);
    EXPECT_EQ(slow_message_checksum(packet), 0);
  } else {
    EXPECT_EQ(load_be<std::uint16_t>(&frame[udp_at + 6]), 0);
  }
  EXPECT_EQ(Bytes(frame.begin() + static_cast<std::ptrdiff_t>(udp_at) + 8, frame.end()),
            Bytes(payload.begin(), payload.end()));
}

TEST_F(EthdevPortTest, SendsWithItsOwnHeaders) {
  const struct {
    const char* to;
    Bytes payload;
    bool has_checksum;
  } cases[] = {
      {"192.0.2.2:1111", kSealed, false},       {"192.0.2.2:1111", kRelayed, false},
      {"192.0.2.2:1111", kHandshake, true},     {"192.0.2.2:1111", {}, true},
      {"[2001:db8::2]:1111", kSealed, true},    {"[2001:db8::2]:1111", kRelayed, true},
      {"[2001:db8::2]:1111", kHandshake, true},
  };
  open();
  meet("192.0.2.2");
  meet("2001:db8::2");
  for (const auto& test : cases) {
    SCOPED_TRACE(std::string(test.to) + " " + std::to_string(test.payload.size()));
    EXPECT_EQ(send(test.to, test.payload), (Outcome{.sent = 1}));
    const auto frames = left();
    ASSERT_EQ(frames.size(), 1u);
    const bool v4 = endpoint(test.to).address.is_v4();
    expect_datagram(frames[0], {.v4 = v4, .has_checksum = test.has_checksum}, test.payload);
    const std::size_t ports = v4 ? 34 : 54;
    EXPECT_EQ(load_be<std::uint16_t>(&frames[0][ports]), 4545);
    EXPECT_EQ(load_be<std::uint16_t>(&frames[0][ports + 2]), 1111);
  }
}

TEST_F(EthdevPortTest, SendsABurstInOrder) {
  open();
  meet("192.0.2.2");
  meet("2001:db8::2");
  std::vector<rte_mbuf*> burst;
  for (std::uint8_t i = 0; i < kBurst; ++i) {
    burst.push_back(datagram(i % 3 == 0 ? "[2001:db8::2]:9" : "192.0.2.2:9", Bytes{i}));
  }
  EXPECT_EQ(send(burst), (Outcome{.sent = kBurst}));
  const auto frames = left();
  ASSERT_EQ(frames.size(), kBurst);
  for (std::uint8_t i = 0; i < kBurst; ++i)
    EXPECT_EQ(frames[i].back(), i);
  EXPECT_EQ(count_all(), 2u);  // those who answered
}

TEST_F(EthdevPortTest, DeliversDatagramsAtTheirPayload) {
  open();
  const Bytes payload = hex("04000000 0102");
  const Taken from4{endpoint("192.0.2.2:1111"), payload};
  EXPECT_EQ(receive(frame4(payload)), std::vector{from4});
  EXPECT_EQ(receive(frame6(payload)),
            (std::vector<Taken>{{endpoint("[2001:db8::2]:1111"), payload}}));
  // A short frame is filled up, a priority tag names no VLAN, and IPv4 may do without a checksum.
  EXPECT_EQ(receive(join({frame4(payload), Bytes(12)})), std::vector{from4});
  const Bytes plain = Ipv4{.payload = udp(1111, 4545, payload)}.bytes();
  EXPECT_EQ(receive(framed(kOurMac, kTheirMac, 0x0800, plain, hex("8100 e000"))),
            std::vector{from4});
  EXPECT_EQ(receive(frame4({})), (std::vector<Taken>{{endpoint("192.0.2.2:1111"), {}}}));
  EXPECT_EQ(count_all(), 0u);
}

TEST_F(EthdevPortTest, KeepsTheOrderOfWhatArrivesAmongWhatDoesNot) {
  open();
  for (std::uint8_t i = 0; i < kBurst; ++i)
    arrive(i % 2 == 0 ? frame4(Bytes{i}) : frame4(Bytes{i}, 4546));
  const auto taken = receive();
  ASSERT_EQ(taken.size(), kBurst / 2u);
  for (std::uint8_t i = 0; i < kBurst / 2; ++i)
    EXPECT_EQ(taken[i].payload, Bytes{static_cast<std::uint8_t>(2 * i)});
  EXPECT_EQ(count(WireEvent::kOther), kBurst / 2u);
  EXPECT_TRUE(receive().empty());
}

TEST_F(EthdevPortTest, SendsWhatItReceivedOn) {
  open();
  meet("2001:db8::2");
  arrive(frame4(kSealed));
  rte_mbuf* burst[kBurst];
  ASSERT_EQ(port->rx_burst(PacketPools(pool->get()), burst), 1);
  meta(burst[0]).endpoint = endpoint("[2001:db8::2]:1111");
  // IPv6 takes more in front than IPv4 left; the driver had left room.
  EXPECT_EQ(send({burst[0]}), (Outcome{.sent = 1}));
  const auto frames = left();
  ASSERT_EQ(frames.size(), 1u);
  expect_datagram(frames[0], {.v4 = false}, kSealed);
}

TEST_F(EthdevPortTest, PushesAndExpectsATag) {
  EthdevPortSettings settings = both_families();
  settings.vlan = 7;
  open(settings);
  const Bytes tag = hex("8100 0007");
  send("192.0.2.2:9", kHandshake);
  const auto question = left();
  ASSERT_EQ(question.size(), 1u);
  EXPECT_EQ(Bytes(question[0].begin() + 12, question[0].begin() + 18), hex("8100 0007 0806"));
  const Bytes answer = framed(kOurMac, kTheirMac, 0x0806,
                              testing::arp(2, kTheirMac, "192.0.2.2", kOurMac, "192.0.2.1"), tag);
  EXPECT_TRUE(receive(answer).empty());
  const auto frames = left();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(Bytes(frames[0].begin() + 12, frames[0].begin() + 16), tag);
  expect_datagram(frames[0], {.ip = 18}, kHandshake);

  const Bytes packet = Ipv4{.payload = udp(1111, 4545, kSealed)}.bytes();
  EXPECT_EQ(receive(framed(kOurMac, kTheirMac, 0x0800, packet, tag)),
            (std::vector<Taken>{{endpoint("192.0.2.2:1111"), kSealed}}));
  EXPECT_TRUE(receive(framed(kOurMac, kTheirMac, 0x0800, packet)).empty());
  EXPECT_TRUE(receive(framed(kOurMac, kTheirMac, 0x0800, packet, hex("8100 0008"))).empty());
  EXPECT_EQ(count(WireEvent::kNotOurs), 2u);
}

TEST_F(EthdevPortTest, SendsToTheGatewayWhatIsNotOnTheLink) {
  open();
  meet("192.0.2.254");
  EXPECT_EQ(send("198.51.100.7:9", kSealed), (Outcome{.sent = 1}));
  auto frames = left();
  ASSERT_EQ(frames.size(), 1u);
  expect_datagram(frames[0], {.has_checksum = false}, kSealed);
  EXPECT_EQ(IpAddress::v4_at(&frames[0][30]), ip("198.51.100.7"));

  send("[2001:db8:1::7]:9", kSealed);
  EXPECT_EQ(left().size(), 1u);
  EXPECT_TRUE(receive(answer_of("fe80::fe")).empty());
  frames = left();
  ASSERT_EQ(frames.size(), 1u);
  expect_datagram(frames[0], {.v4 = false}, kSealed);
  EXPECT_EQ(IpAddress::v6_at(&frames[0][38]), ip("2001:db8:1::7"));
}

TEST_F(EthdevPortTest, HasFurtherSocketsWithPortsOfTheirOwn) {
  open();
  meet("192.0.2.2");
  const std::uint16_t socket = port->open_socket().value();
  EXPECT_NE(socket, 0);
  rte_mbuf* const by_it = datagram("192.0.2.2:1111", kHandshake);
  meta(by_it).endpoint.socket = socket;
  EXPECT_EQ(send({by_it}), (Outcome{.sent = 1}));
  const auto frames = left();
  ASSERT_EQ(frames.size(), 1u);
  expect_datagram(frames[0], {}, kHandshake);
  const auto its_port = load_be<std::uint16_t>(&frames[0][34]);
  EXPECT_NE(its_port, kOurPort);

  EXPECT_EQ(receive(frame4(kSealed, its_port)),
            (std::vector<Taken>{{endpoint("192.0.2.2:1111", socket), kSealed}}));
  port->unlink_socket(socket)();
  EXPECT_TRUE(receive(frame4(kSealed, its_port)).empty());
  EXPECT_EQ(count(WireEvent::kOther), 1u);
  rte_mbuf* const too_late = datagram("192.0.2.2:1111", kHandshake);
  meta(too_late).endpoint.socket = socket;
  EXPECT_EQ(send({too_late}), (Outcome{.refused = 1}));
  EXPECT_EQ(count(WireEvent::kNoRoute), 1u);
  port->unlink_socket(socket)();
  port->unlink_socket(60000)();
}

TEST_F(EthdevPortTest, SplitsTrainsInOrder) {
  open();
  meet("192.0.2.2");
  Bytes bytes(1000);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(i / 300 + 1);
  const auto outcome = send({datagram("192.0.2.2:9", Bytes{10}), train("192.0.2.2:9", bytes, 300),
                             datagram("192.0.2.2:9", Bytes{11})});
  EXPECT_EQ(outcome, (Outcome{.sent = 6}));
  const auto frames = left();
  ASSERT_EQ(frames.size(), 6u);
  EXPECT_EQ(frames[0].back(), 10);
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(frames[i + 1].size(), 42 + (i == 3 ? 100 : 300)) << i;
    EXPECT_EQ(frames[i + 1][42], i + 1);
    EXPECT_EQ(frames[i + 1].back(), i + 1);
  }
  EXPECT_EQ(frames[5].back(), 11);
  EXPECT_EQ(count(WireEvent::kCopied), 4u);
}

TEST_F(EthdevPortTest, SplitsTrainsLongerThanABurst) {
  open();
  meet("192.0.2.2");
  Bytes bytes(100);
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(send({train("192.0.2.2:9", bytes, 1)}), (Outcome{.sent = 100}));
  const auto frames = left();
  ASSERT_EQ(frames.size(), 100u);
  for (std::size_t i = 0; i < frames.size(); ++i)
    EXPECT_EQ(frames[i].back(), i);
}

TEST_F(EthdevPortTest, IsLookedAtNowAndThenWhereNothingWakesAnybody) {
  open();
  int fds[kMaxWaitFds];
  EXPECT_EQ(port->wait_fds(fds), 0u);
  EXPECT_TRUE(port->arm());
  port->disarm();
  EXPECT_LE(port->longest_sleep(), Duration(std::chrono::milliseconds(5)));
  EXPECT_FALSE(port->takes_trains());
  EXPECT_EQ(port->device().driver(), "net_ring");
  EXPECT_EQ(port->bound(),
            (std::vector{endpoint("192.0.2.1:4545"), endpoint("[2001:db8::1]:4545")}));
}

TEST_F(EthdevPortTest, ChoosesAPortIfNoneIsSaid) {
  EthdevPortSettings settings = both_families();
  settings.port = 0;
  open(settings);
  ASSERT_EQ(port->bound().size(), 2u);
  EXPECT_GE(port->bound()[0].port, 1024);
  EXPECT_EQ(port->bound()[0].port, port->bound()[1].port);
}

}  // namespace
}  // namespace ipop::engine
