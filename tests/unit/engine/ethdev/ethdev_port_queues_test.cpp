// A port with several queues, as several lcores have it: what each has for itself, and what one
// hears for all.
#include <rte_ethdev.h>

#include <algorithm>
#include <memory>
#include <stdexcept>

#include "engine/path/packet.hpp"
#include "ring_link.hpp"

namespace ipop::engine {
namespace {

using testing::arp;
using testing::Bytes;
using testing::framed;
using testing::ip;
using testing::Ipv4;
using testing::kOurMac;
using testing::kTheirMac;
using testing::kThirdMac;
using testing::NeighbourPacket;
using testing::Outcome;
using testing::RingDevice;
using testing::summed;
using testing::Taken;
using testing::udp;

class EthdevPortQueues : public testing::RingLink {
 protected:
  void SetUp() override {
    RingLink::SetUp();
    device.emplace(255, 2);
    EthdevPortSettings settings = both_families();
    settings.device.device = device->name();
    settings.device.queues = 2;
    port.emplace(settings);
    second = port->further_queue();
    for (EthdevPort* const queue : {&*port, second.get()}) {
      queue->attach(PacketPools(pool->get()));
      queue->tick(now);
    }
  }
  void TearDown() override {
    if (second) second->release_buffers();
    if (port) port->release_buffers();
    (void)left_by_second();
    second.reset();
    RingLink::TearDown();
  }

  Outcome send_by_second(const std::string& to, ByteView payload) {
    rte_mbuf* one = datagram(to, payload);
    Outcome outcome{.sent = 99, .refused = 99};
    second->tx_burst({&one, 1}, outcome.sent, outcome.refused);
    return outcome;
  }
  std::vector<Taken> receive_by_second() {
    std::vector<Taken> taken;
    rte_mbuf* burst[kBurst];
    const std::uint16_t got = second->rx_burst(PacketPools(pool->get()), burst);
    for (rte_mbuf* const one : std::span(burst, got)) {
      const MutableBytes bytes = bytes_of(one);
      taken.push_back({meta(one).endpoint, Bytes(bytes.begin(), bytes.end())});
      rte_pktmbuf_free(one);
    }
    return taken;
  }
  void arrive_at_second(ByteView frame) {
    rte_mbuf* const made = rte_pktmbuf_alloc(pool->get());
    std::ranges::copy(frame, data_of(made));
    set_length(made, static_cast<std::uint32_t>(frame.size()));
    ASSERT_TRUE(device->push(made, 1));
  }
  std::vector<Bytes> left_by_second() {
    std::vector<Bytes> frames;
    while (rte_mbuf* const frame = device->pop(1)) {
      const MutableBytes bytes = bytes_of(frame);
      frames.emplace_back(bytes.begin(), bytes.end());
      rte_pktmbuf_free(frame);
    }
    return frames;
  }
  // The second asks, and the first hears the answer.
  void meet_by_second(const std::string& address) {
    const bool v4 = ip(address).is_v4();
    send_by_second(v4 ? address + ":9" : "[" + address + "]:9", Bytes{1});
    EXPECT_TRUE(receive(answer_of(address)).empty());
    EXPECT_TRUE(receive_by_second().empty());
    EXPECT_EQ(left_by_second().size(), 2u);  // the question, and what waited for the answer
  }

  std::unique_ptr<EthdevPort> second;
};

Bytes datagram_for(std::uint16_t port, const Bytes& payload) {
  return framed(kOurMac, kTheirMac, 0x0800,
                summed(Ipv4{.payload = udp(1111, port, payload)}.bytes()));
}

TEST_F(EthdevPortQueues, AreReadByOneEach) {
  arrive_at_second(datagram_for(kOurPort, Bytes{2}));
  arrive(datagram_for(kOurPort, Bytes{1}));
  const Endpoint from = Endpoint::parse("192.0.2.2:1111").value();
  EXPECT_EQ(receive(), (std::vector<Taken>{{from, Bytes{1}}}));
  EXPECT_EQ(receive_by_second(), (std::vector<Taken>{{from, Bytes{2}}}));
  EXPECT_TRUE(receive().empty());
}

TEST_F(EthdevPortQueues, AnnounceTheirAddressesOnce) {
  EXPECT_EQ(left().size(), 2u);
  EXPECT_TRUE(left_by_second().empty());
}

TEST_F(EthdevPortQueues, HearAnswersThatCameToAnother) {
  (void)left();
  EXPECT_EQ(send_by_second("192.0.2.2:9", Bytes{7}), (Outcome{.sent = 1}));
  const auto question = left_by_second();
  ASSERT_EQ(question.size(), 1u);
  EXPECT_EQ(MacAddress::at(question[0].data()), MacAddress::broadcast());
  EXPECT_TRUE(receive(answer_of("192.0.2.2")).empty());
  EXPECT_TRUE(left().empty());  // the first has nobody waiting
  EXPECT_TRUE(receive_by_second().empty());
  const auto sent = left_by_second();
  ASSERT_EQ(sent.size(), 1u);
  EXPECT_EQ(sent[0].back(), 7);
  EXPECT_EQ(MacAddress::at(sent[0].data()), kTheirMac);
  // One frame came, and one queue counts it.
  EXPECT_EQ(count(WireEvent::kNeighbour), 1u);
  EXPECT_EQ(second->events().at(static_cast<std::size_t>(WireEvent::kNeighbour)), 0u);
}

TEST_F(EthdevPortQueues, HearAnswersInIpv6Too) {
  meet_by_second("2001:db8::2");
}

TEST_F(EthdevPortQueues, HearThatANeighbourHasMoved) {
  meet_by_second("192.0.2.2");
  EXPECT_TRUE(receive(framed(MacAddress::broadcast(), kThirdMac, 0x0806,
                             arp(1, kThirdMac, "192.0.2.2", MacAddress{}, "192.0.2.2")))
                  .empty());
  EXPECT_TRUE(receive_by_second().empty());
  send_by_second("192.0.2.2:9", Bytes{8});
  const auto sent = left_by_second();
  ASSERT_FALSE(sent.empty());
  EXPECT_EQ(MacAddress::at(sent[0].data()), kThirdMac);
}

// RFC 4861 §7.2.4: who is asked by its own Ethernet address need not say it again.
TEST_F(EthdevPortQueues, HearThatANeighbourIsStillThere) {
  meet_by_second("2001:db8::2");
  const auto ask_again = [&](Duration after) {
    now += after;
    second->tick(now);
    send_by_second("[2001:db8::2]:9", Bytes{8});
    second->tick(now);
    return left_by_second().size() - 1;  // besides the datagram
  };
  EXPECT_EQ(ask_again(Neighbours::kReachable + std::chrono::seconds(1)), 1u);
  EXPECT_TRUE(receive(framed(kOurMac, kTheirMac, 0x86dd,
                             NeighbourPacket{.type = 136,
                                             .source = "2001:db8::2",
                                             .destination = "2001:db8::1",
                                             .target = "2001:db8::2",
                                             .flags = 0x40,
                                             .options = {}}
                                 .bytes()))
                  .empty());
  EXPECT_TRUE(receive_by_second().empty());
  EXPECT_EQ(ask_again(2 * Neighbours::kRetry), 0u);
}

TEST_F(EthdevPortQueues, AnswerWhereTheyAreAsked) {
  (void)left();
  arrive_at_second(framed(MacAddress::broadcast(), kTheirMac, 0x0806,
                          arp(1, kTheirMac, "192.0.2.2", MacAddress{}, "192.0.2.1")));
  EXPECT_TRUE(receive_by_second().empty());
  EXPECT_EQ(left_by_second().size(), 1u);
  EXPECT_TRUE(receive().empty());
  EXPECT_TRUE(left().empty());
}

TEST_F(EthdevPortQueues, CountAConflictOnce) {
  EXPECT_TRUE(receive(framed(MacAddress::broadcast(), kThirdMac, 0x0806,
                             arp(1, kThirdMac, "192.0.2.1", MacAddress{}, "192.0.2.1")))
                  .empty());
  EXPECT_TRUE(receive_by_second().empty());
  wait(std::chrono::seconds(1));
  second->tick(now);
  EXPECT_EQ(count(WireEvent::kConflict), 1u);
  EXPECT_EQ(second->events().at(static_cast<std::size_t>(WireEvent::kConflict)), 0u);
}

TEST_F(EthdevPortQueues, ListenToTheSamePorts) {
  const std::uint16_t socket = port->open_socket().value();
  meet_by_second("192.0.2.2");
  rte_mbuf* one = datagram("192.0.2.2:9", Bytes{5});
  meta(one).endpoint.socket = socket;
  Outcome outcome;
  second->tx_burst({&one, 1}, outcome.sent, outcome.refused);
  EXPECT_EQ(outcome, (Outcome{.sent = 1}));
  const auto sent = left_by_second();
  ASSERT_EQ(sent.size(), 1u);
  const auto number = load_be<std::uint16_t>(&sent[0].at(14 + 20));
  EXPECT_NE(number, kOurPort);
  arrive_at_second(datagram_for(number, Bytes{6}));
  const auto came = receive_by_second();
  ASSERT_EQ(came.size(), 1u);
  EXPECT_EQ(came[0].from.socket, socket);
  port->unlink_socket(socket)();
  arrive_at_second(datagram_for(number, Bytes{6}));
  EXPECT_TRUE(receive_by_second().empty());
}

TEST_F(EthdevPortQueues, GoOnUntilTheLastHasLeft) {
  const auto is_started = [&] {
    rte_eth_link link{};
    return rte_eth_link_get_nowait(port->device().id(), &link) == 0 &&
           link.link_status == RTE_ETH_LINK_UP;
  };
  port->release_buffers();
  EXPECT_TRUE(is_started());
  arrive_at_second(datagram_for(kOurPort, Bytes{2}));
  EXPECT_EQ(receive_by_second().size(), 1u);
  second->release_buffers();
  EXPECT_FALSE(is_started());
}

TEST_F(EthdevPortQueues, AreAsManyAsWereAskedFor) {
  EXPECT_THROW((void)port->further_queue(), std::runtime_error);
}

}  // namespace
}  // namespace ipop::engine
