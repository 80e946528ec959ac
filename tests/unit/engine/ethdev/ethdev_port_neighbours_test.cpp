// An EthdevPort as a station of its link: whom it asks, what waits meanwhile, and what it answers.
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/fd.hpp"
#include "ring_link.hpp"

namespace ipop::engine {
namespace {

using testing::arp;
using testing::Bytes;
using testing::echo_request;
using testing::framed;
using testing::hex;
using testing::ip;
using testing::Ipv4;
using testing::Ipv6;
using testing::join;
using testing::kOurMac;
using testing::kTheirMac;
using testing::kThirdMac;
using testing::NeighbourPacket;
using testing::Outcome;
using testing::slow_checksum;
using testing::slow_message_checksum;
using testing::summed;

class EthdevPortNeighbours : public testing::RingLink {
 protected:
  // The last bytes of what left since the last call: tests put a number there.
  std::vector<int> marks() {
    std::vector<int> found;
    for (const Bytes& frame : left())
      found.push_back(frame.back());
    return found;
  }
};

using Marks = std::vector<int>;

constexpr Duration kSecond = std::chrono::seconds(1);

Bytes question4(const std::string& for_whom) {
  return framed(MacAddress::broadcast(), kOurMac, 0x0806,
                arp(1, kOurMac, "192.0.2.1", MacAddress{}, for_whom));
}

// The device comes up and says where its addresses are.
TEST_F(EthdevPortNeighbours, AreToldOnceWhereWeAre) {
  device.emplace();
  EthdevPortSettings settings = both_families();
  settings.device.device = device->name();
  port.emplace(settings);
  port->attach(PacketPools(pool->get()));
  EXPECT_TRUE(left().empty());
  port->tick(now);
  const auto frames = left();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0], question4("192.0.2.1"));
  EXPECT_EQ(MacAddress::at(frames[1].data()), (MacAddress{{0x33, 0x33, 0, 0, 0, 1}}));
  EXPECT_EQ(frames[1].at(14 + 40), 136);
  wait(kSecond);
  EXPECT_TRUE(left().empty());
}

TEST_F(EthdevPortNeighbours, AreAskedForAndThenGetWhatWaited) {
  open();
  EXPECT_EQ(send({datagram("192.0.2.2:9", Bytes{1}), datagram("192.0.2.2:9", Bytes{2})}),
            (Outcome{.sent = 2}));
  EXPECT_EQ(left(), std::vector<Bytes>{question4("192.0.2.2")});
  // Asked once a second, however much is to be sent.
  EXPECT_EQ(send("192.0.2.2:9", Bytes{3}), (Outcome{.sent = 1}));
  EXPECT_TRUE(left().empty());
  EXPECT_TRUE(receive(answer_of("192.0.2.2")).empty());
  EXPECT_EQ(marks(), (Marks{1, 2, 3}));
  EXPECT_EQ(send("192.0.2.2:9", Bytes{4}), (Outcome{.sent = 1}));
  EXPECT_EQ(marks(), Marks{4});
  EXPECT_EQ(count(WireEvent::kNeighbour), 1u);
  EXPECT_EQ(count_all(), 1u);
}

TEST_F(EthdevPortNeighbours, AreAskedForInIpv6Too) {
  open();
  EXPECT_EQ(send("[2001:db8::2]:9", Bytes{1}), (Outcome{.sent = 1}));
  const auto question = left();
  ASSERT_EQ(question.size(), 1u);
  EXPECT_EQ(MacAddress::at(question[0].data()), (MacAddress{{0x33, 0x33, 0xff, 0, 0, 2}}));
  EXPECT_EQ(question[0].at(14 + 40), 135);
  EXPECT_EQ(slow_message_checksum(ByteView(question[0]).subspan(14)), 0);
  EXPECT_TRUE(receive(answer_of("2001:db8::2")).empty());
  EXPECT_EQ(marks(), Marks{1});
}

TEST_F(EthdevPortNeighbours, DoNotGetWhatWaitsForAnother) {
  open();
  std::vector<rte_mbuf*> burst;
  for (std::uint8_t i = 0; i < 6; ++i)
    burst.push_back(datagram(i % 2 == 0 ? "192.0.2.2:9" : "192.0.2.3:9", Bytes{i}));
  EXPECT_EQ(send(burst), (Outcome{.sent = 6}));
  EXPECT_EQ(left().size(), 2u);
  EXPECT_TRUE(receive(answer_of("192.0.2.3", kThirdMac)).empty());
  const auto frames = left();
  ASSERT_EQ(frames.size(), 3u);
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(frames[i].back(), 2 * i + 1);
    EXPECT_EQ(MacAddress::at(frames[i].data()), kThirdMac);
  }
  EXPECT_TRUE(receive(answer_of("192.0.2.2")).empty());
  EXPECT_EQ(marks(), (Marks{0, 2, 4}));
}

TEST_F(EthdevPortNeighbours, HaveNoMoreThan64Waiting) {
  open();
  for (std::uint8_t i = 0; i < 64; i += 16) {
    std::vector<rte_mbuf*> burst;
    for (std::uint8_t k = 0; k < 16; ++k)
      burst.push_back(datagram("192.0.2.2:9", Bytes{static_cast<std::uint8_t>(i + k)}));
    EXPECT_EQ(send(burst), (Outcome{.sent = 16}));
  }
  EXPECT_EQ(send({datagram("192.0.2.2:9", Bytes{64}), datagram("192.0.2.3:9", Bytes{65})}),
            (Outcome{.refused = 2}));
  EXPECT_EQ(count(WireEvent::kUnresolved), 2u);
  EXPECT_EQ(pool->available() + 64 + 1, pool->size());  // and the question
  (void)left();
  EXPECT_TRUE(receive(answer_of("192.0.2.2")).empty());
  const Marks found = marks();
  ASSERT_EQ(found.size(), 64u);
  for (int i = 0; i < 64; ++i)
    EXPECT_EQ(found[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(send("192.0.2.2:9", Bytes{66}), (Outcome{.sent = 1}));
}

TEST_F(EthdevPortNeighbours, AreGivenUpAfterThreeQuestions) {
  open();
  send({datagram("192.0.2.2:9", Bytes{1}), datagram("192.0.2.2:9", Bytes{2})});
  EXPECT_EQ(left().size(), 1u);
  wait(kSecond / 2);
  EXPECT_TRUE(left().empty());
  for (int i = 0; i < 2; ++i) {
    wait(kSecond);
    EXPECT_EQ(left(), std::vector<Bytes>{question4("192.0.2.2")}) << i;
  }
  EXPECT_EQ(count(WireEvent::kUnresolved), 0u);
  wait(kSecond);
  EXPECT_TRUE(left().empty());
  EXPECT_EQ(count(WireEvent::kUnresolved), 2u);
  EXPECT_EQ(pool->available(), pool->size());
  // Whoever sends again asks again.
  EXPECT_EQ(send("192.0.2.2:9", Bytes{3}), (Outcome{.sent = 1}));
  EXPECT_EQ(left(), std::vector<Bytes>{question4("192.0.2.2")});
  EXPECT_TRUE(receive(answer_of("192.0.2.2")).empty());
  EXPECT_EQ(marks(), Marks{3});
}

TEST_F(EthdevPortNeighbours, KeepWhatWaitsWhenAnotherIsGivenUp) {
  open();
  send("192.0.2.2:9", Bytes{1});
  wait(kSecond);
  wait(kSecond);
  send("192.0.2.3:9", Bytes{2});
  wait(kSecond);
  EXPECT_EQ(count(WireEvent::kUnresolved), 1u);
  (void)left();
  EXPECT_TRUE(receive(answer_of("192.0.2.3")).empty());
  EXPECT_EQ(marks(), Marks{2});
}

TEST_F(EthdevPortNeighbours, GetNothingFromASocketThatWasClosedMeanwhile) {
  open();
  const std::uint16_t socket = port->open_socket().value();
  rte_mbuf* const by_it = datagram("192.0.2.2:9", Bytes{1});
  meta(by_it).endpoint.socket = socket;
  EXPECT_EQ(send({by_it, datagram("192.0.2.2:9", Bytes{2})}), (Outcome{.sent = 2}));
  (void)left();
  port->unlink_socket(socket)();
  EXPECT_TRUE(receive(answer_of("192.0.2.2")).empty());
  EXPECT_EQ(marks(), Marks{2});
  EXPECT_EQ(count(WireEvent::kNoRoute), 1u);
}

TEST_F(EthdevPortNeighbours, AreAskedAgainWhetherTheyAreThere) {
  open();
  meet("192.0.2.2");
  wait(30 * kSecond);
  send("192.0.2.2:9", Bytes{1});
  wait({});
  const auto frames = left();
  ASSERT_EQ(frames.size(), 2u);  // it is not kept waiting for that
  EXPECT_EQ(frames[0].back(), 1);
  EXPECT_EQ(frames[1], framed(kTheirMac, kOurMac, 0x0806,
                              arp(1, kOurMac, "192.0.2.1", MacAddress{}, "192.0.2.2")));
}

// What a neighbour says to us, and what it hears.
struct Conversation {
  const char* description;
  Bytes question;
  Bytes answer;
  WireEvent event;
};

std::vector<Conversation> conversations(const std::string& our4) {
  Bytes advertisement = NeighbourPacket{.type = 136,
                                        .source = "2001:db8::1",
                                        .destination = "2001:db8::2",
                                        .target = "2001:db8::1",
                                        .flags = 0x60,
                                        .options = join({hex("0201"), kOurMac.bytes})}
                            .bytes();
  store_be<std::uint32_t>(advertisement.data(), 0x60000000);
  const Bytes data = hex("0102030405");
  Bytes pong = Ipv4{.source = our4,
                    .destination = "192.0.2.2",
                    .protocol = 1,
                    .payload = echo_request(0, data)}
                   .bytes();
  pong[8] = 64;
  store_be<std::uint16_t>(&pong[10], 0);
  store_be(&pong[10], slow_checksum(ByteView(pong).first(20)));
  return {
      {"ARP",
       framed(MacAddress::broadcast(), kTheirMac, 0x0806,
              arp(1, kTheirMac, "192.0.2.2", MacAddress{}, our4)),
       framed(kTheirMac, kOurMac, 0x0806, arp(2, kOurMac, our4, kTheirMac, "192.0.2.2")),
       WireEvent::kNeighbour},
      {"neighbour discovery",
       framed(MacAddress{{0x33, 0x33, 0xff, 0, 0, 1}}, kTheirMac, 0x86dd,
              NeighbourPacket{}.bytes()),
       framed(kTheirMac, kOurMac, 0x86dd, advertisement), WireEvent::kNeighbour},
      {"a ping",
       framed(
           kOurMac, kTheirMac, 0x0800,
           summed(
               Ipv4{.destination = our4, .protocol = 1, .payload = echo_request(8, data)}.bytes())),
       framed(kTheirMac, kOurMac, 0x0800, summed(pong)), WireEvent::kEcho},
      {"a ping of IPv6",
       framed(kOurMac, kTheirMac, 0x86dd,
              summed(Ipv6{.next = 58, .payload = echo_request(128, data)}.bytes())),
       framed(kTheirMac, kOurMac, 0x86dd,
              summed(Ipv6{.source = "2001:db8::1",
                          .destination = "2001:db8::2",
                          .next = 58,
                          .payload = echo_request(129, data)}
                         .bytes())),
       WireEvent::kEcho},
  };
}

TEST_F(EthdevPortNeighbours, AreAnswered) {
  open();
  for (const Conversation& test : conversations("192.0.2.1")) {
    SCOPED_TRACE(test.description);
    const std::uint64_t before = count(test.event);
    const std::uint64_t all_before = count_all();
    EXPECT_TRUE(receive(test.question).empty());
    EXPECT_EQ(left(), std::vector<Bytes>{test.answer});
    EXPECT_EQ(count(test.event), before + 1);
    EXPECT_EQ(count_all(), all_before + 1);
  }
}

// The kernel has these addresses too.
TEST_F(EthdevPortNeighbours, AreLeftToTheKernelBesideIt) {
  open({.device = {},
        .addresses = {{ip("127.0.0.1"), 8}},
        .gateways = {},
        .beside_kernel = true,
        .port = 0});
  for (const Conversation& test : conversations("127.0.0.1")) {
    EXPECT_TRUE(receive(test.question).empty()) << test.description;
    EXPECT_TRUE(left().empty()) << test.description;
  }
  EXPECT_EQ(count(WireEvent::kEcho), 0u);
}

TEST_F(EthdevPortNeighbours, ThatClaimOurAddressAreCounted) {
  open();
  EXPECT_TRUE(receive(framed(MacAddress::broadcast(), kTheirMac, 0x0806,
                             arp(1, kTheirMac, "192.0.2.1", MacAddress{}, "192.0.2.1")))
                  .empty());
  wait({});
  EXPECT_EQ(count(WireEvent::kConflict), 1u);
  EXPECT_TRUE(left().empty());
}

// A kernel that has the addresses must neither give the ports to others nor speak for them.
TEST_F(EthdevPortNeighbours, BesideTheKernelOurPortsAreTaken) {
  const auto can_bind = [](std::uint16_t number) {
    const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    sockaddr_storage address{};
    const std::size_t length = Endpoint{ip("127.0.0.1"), number}.to_sockaddr(address);
    return bind(socket.get(), reinterpret_cast<const sockaddr*>(&address),
                static_cast<socklen_t>(length)) == 0;
  };
  const EthdevPortSettings settings{.device = {},
                                    .addresses = {{ip("127.0.0.1"), 8}},
                                    .gateways = {},
                                    .beside_kernel = true,
                                    .port = 0};
  open(settings);
  const std::uint16_t number = port->bound().at(0).port;
  EXPECT_FALSE(can_bind(number));

  const std::uint16_t socket = port->open_socket().value();
  rte_mbuf* const by_it = datagram("127.0.0.2:9", Bytes{1});
  meta(by_it).endpoint.socket = socket;
  send({by_it});
  EXPECT_EQ(left().size(), 1u);
  const MacAddress mac = kTheirMac;
  EXPECT_TRUE(receive(framed(kOurMac, mac, 0x0806, arp(2, mac, "127.0.0.2", kOurMac, "127.0.0.1")))
                  .empty());
  const auto frames = left();
  ASSERT_EQ(frames.size(), 1u);
  const auto its_port = load_be<std::uint16_t>(&frames[0][34]);
  EXPECT_FALSE(can_bind(its_port));
  port->unlink_socket(socket)();
  EXPECT_TRUE(can_bind(its_port));

  // Another port on the same device, while this one lives.
  EthdevPortSettings again = settings;
  again.device.device = device->name();
  again.port = number;
  try {
    const EthdevPort second(again);
    FAIL() << "took a port that is taken";
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()), "UDP port " + std::to_string(number) +
                                             " is in use by another program on this machine");
  }
  port->release_buffers();
  port.reset();
  EXPECT_TRUE(can_bind(number));
}

}  // namespace
}  // namespace ipop::engine
