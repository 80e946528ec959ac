// What an EthdevPort drops, by the name that it is counted under.
#include "engine/path/packet.hpp"
#include "ring_link.hpp"

namespace ipop::engine {
namespace {

using testing::arp;
using testing::Bytes;
using testing::framed;
using testing::hex;
using testing::ip;
using testing::Ipv4;
using testing::Ipv6;
using testing::join;
using testing::kOurMac;
using testing::kTheirMac;
using testing::kThirdMac;
using testing::Outcome;
using testing::summed;
using testing::udp;
using testing::with;

class EthdevPortRefusals : public testing::RingLink {};

const Bytes kPayload = hex("04000000 0102030405");

Bytes packet4(std::uint16_t to = 4545, const std::string& destination = "192.0.2.1") {
  return summed(Ipv4{.destination = destination, .payload = udp(1111, to, kPayload)}.bytes());
}

Bytes packet6(std::uint16_t to = 4545, const std::string& destination = "2001:db8::1") {
  return summed(Ipv6{.destination = destination, .payload = udp(1111, to, kPayload)}.bytes());
}

Bytes to_us(std::uint16_t type, const Bytes& packet) {
  return framed(kOurMac, kTheirMac, type, packet);
}

TEST_F(EthdevPortRefusals, CountEachFrameOnce) {
  const Bytes whole = to_us(0x0800, packet4());
  const struct {
    const char* description;
    Bytes frame;
    WireEvent event;
  } cases[] = {
      {"nothing", {}, WireEvent::kMalformed},
      {"half an Ethernet header", Bytes(13), WireEvent::kMalformed},
      {"another station", framed(kThirdMac, kTheirMac, 0x0800, packet4()), WireEvent::kNotOurs},
      {"another VLAN", framed(kOurMac, kTheirMac, 0x0800, packet4(), hex("8100 0002")),
       WireEvent::kNotOurs},
      {"another address", to_us(0x0800, packet4(4545, "192.0.2.9")), WireEvent::kNotOurs},
      {"another address of IPv6", to_us(0x86dd, packet6(4545, "2001:db8::9")), WireEvent::kNotOurs},
      {"multicast",
       framed(MacAddress{{1, 0, 0x5e, 0, 0, 1}}, kTheirMac, 0x0800, packet4(4545, "224.0.0.1")),
       WireEvent::kNotOurs},
      {"another port", to_us(0x0800, packet4(4546)), WireEvent::kOther},
      {"another port of IPv6", to_us(0x86dd, packet6(4546)), WireEvent::kOther},
      {"port 0", to_us(0x0800, packet4(0)), WireEvent::kOther},
      {"an unknown type", to_us(0x88cc, Bytes(40)), WireEvent::kOther},
      {"a second tag", framed(kOurMac, kTheirMac, 0x8100, packet4(), hex("8100 0000")),
       WireEvent::kOther},
      {"TCP", to_us(0x0800, Ipv4{.protocol = 6, .payload = Bytes(20)}.bytes()), WireEvent::kOther},
      {"the first fragment",
       to_us(0x0800, Ipv4{.fragment = 0x2000, .payload = udp(1, 4545, kPayload)}.bytes()),
       WireEvent::kFragment},
      {"a later fragment", to_us(0x0800, Ipv4{.fragment = 0x00b9, .payload = kPayload}.bytes()),
       WireEvent::kFragment},
      {"a fragment of IPv6",
       to_us(0x86dd,
             Ipv6{.next = 44, .payload = join({hex("1100 0001 00000001"), Bytes(16)})}.bytes()),
       WireEvent::kFragment},
      {"a wrong checksum", to_us(0x0800, with(packet4(), 30, 0xee)), WireEvent::kBadChecksum},
      {"a wrong checksum of IPv6", to_us(0x86dd, with(packet6(), 50, 0xee)),
       WireEvent::kBadChecksum},
      {"a wrong header checksum", to_us(0x0800, with(packet4(), 8, 9)), WireEvent::kMalformed},
      {"IPv6 without a checksum", to_us(0x86dd, Ipv6{.payload = udp(1111, 4545, kPayload)}.bytes()),
       WireEvent::kMalformed},
      {"a packet that is cut off", Bytes(whole.begin(), whole.begin() + 29), WireEvent::kMalformed},
      {"half an ARP message", to_us(0x0806, Bytes(20)), WireEvent::kMalformed},
      {"an answer that nobody asked for", answer_of("192.0.2.2"), WireEvent::kNeighbour},
      {"a question for another",
       framed(MacAddress::broadcast(), kTheirMac, 0x0806,
              arp(1, kTheirMac, "192.0.2.2", MacAddress{}, "192.0.2.9")),
       WireEvent::kNeighbour},
  };
  open();
  for (const auto& test : cases) {
    SCOPED_TRACE(test.description);
    const std::uint64_t before = count(test.event);
    const std::uint64_t all_before = count_all();
    EXPECT_TRUE(receive(test.frame).empty());
    EXPECT_EQ(count(test.event), before + 1);
    EXPECT_EQ(count_all(), all_before + 1);
    EXPECT_TRUE(left().empty());
    EXPECT_EQ(pool->available(), pool->size());
  }
}

TEST_F(EthdevPortRefusals, CountAFrameInSeveralBuffersOnce) {
  open();
  rte_mbuf* const first = datagram("192.0.2.2:9", to_us(0x0800, packet4()));
  ASSERT_EQ(rte_pktmbuf_chain(first, datagram("192.0.2.2:9", kPayload)), 0);
  ASSERT_TRUE(device->push(first));
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(count(WireEvent::kMalformed), 1u);
  EXPECT_EQ(count_all(), 1u);
}

TEST_F(EthdevPortRefusals, ConcernWhereThereIsNoRoute) {
  EthdevPortSettings settings = both_families();
  settings.addresses.pop_back();
  settings.gateways.clear();
  open(settings);
  EXPECT_EQ(send("198.51.100.1:9", kPayload), (Outcome{.refused = 1}));   // no gateway
  EXPECT_EQ(send("[2001:db8::2]:9", kPayload), (Outcome{.refused = 1}));  // no such family
  rte_mbuf* const by_none = datagram("192.0.2.2:9", kPayload);
  meta(by_none).endpoint.socket = 3;
  EXPECT_EQ(send({by_none}), (Outcome{.refused = 1}));
  EXPECT_EQ(count(WireEvent::kNoRoute), 3u);
  EXPECT_EQ(count_all(), 3u);
  EXPECT_TRUE(left().empty());
}

TEST_F(EthdevPortRefusals, ConcernWhatIsTooLargeForTheLink) {
  open();
  meet("192.0.2.2");
  meet("2001:db8::2");
  const std::uint64_t before = count_all();
  EXPECT_EQ(send("192.0.2.2:9", Bytes(1472)), (Outcome{.sent = 1}));
  EXPECT_EQ(send("192.0.2.2:9", Bytes(1473)), (Outcome{.refused = 1}));
  EXPECT_EQ(send("[2001:db8::2]:9", Bytes(1452)), (Outcome{.sent = 1}));
  EXPECT_EQ(send("[2001:db8::2]:9", Bytes(1453)), (Outcome{.refused = 1}));
  EXPECT_EQ(count(WireEvent::kTooBig), 2u);
  EXPECT_EQ(count_all(), before + 2);
  const auto frames = left();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[0].size(), 14u + 1500);
  EXPECT_EQ(frames[1].size(), 14u + 1500);
}

TEST_F(EthdevPortRefusals, ConcernBuffersWithoutRoomForHeaders) {
  open();
  meet("192.0.2.2");
  const auto with_headroom = [&](std::uint16_t room) {
    rte_mbuf* const made = datagram("192.0.2.2:9", kPayload);
    grow_front(made, static_cast<std::uint16_t>(rte_pktmbuf_headroom(made) - room));
    set_length(made, 9);
    return made;
  };
  EXPECT_EQ(send({with_headroom(41)}), (Outcome{.refused = 1}));
  EXPECT_EQ(send({with_headroom(42)}), (Outcome{.sent = 1}));
  rte_mbuf* const two = datagram("192.0.2.2:9", kPayload);
  ASSERT_EQ(rte_pktmbuf_chain(two, datagram("192.0.2.2:9", kPayload)), 0);
  EXPECT_EQ(send({two}), (Outcome{.refused = 1}));
  EXPECT_EQ(count(WireEvent::kTooBig), 2u);
}

// The first are sent, whatever becomes of the others.
TEST_F(EthdevPortRefusals, DoNotStopTheBurst) {
  open();
  meet("192.0.2.2");
  EXPECT_EQ(send({datagram("192.0.2.2:9", Bytes{1}), datagram("192.0.2.2:9", Bytes(1473)),
                  datagram("192.0.2.3:9", Bytes{2}), datagram("192.0.2.2:9", Bytes{3})}),
            (Outcome{.sent = 3, .refused = 1}));
  const auto frames = left();
  ASSERT_EQ(frames.size(), 3u);  // the last is a question
  EXPECT_EQ(frames[0].back(), 1);
  EXPECT_EQ(frames[1].back(), 3);
}

TEST_F(EthdevPortRefusals, CountWhatAFullQueueDoesNotTake) {
  open(both_families(), 15);
  meet("192.0.2.2");
  std::vector<rte_mbuf*> burst;
  for (std::uint8_t i = 0; i < kBurst; ++i)
    burst.push_back(datagram("192.0.2.2:9", Bytes{i}));
  EXPECT_EQ(send(burst), (Outcome{.sent = 15, .refused = 17}));
  EXPECT_EQ(count(WireEvent::kQueueFull), 17u);
  EXPECT_EQ(send({train("192.0.2.2:9", Bytes(40), 1)}), (Outcome{.refused = 40}));
  EXPECT_EQ(count(WireEvent::kQueueFull), 57u);
  // Answers find no room either.
  EXPECT_TRUE(receive(framed(MacAddress::broadcast(), kTheirMac, 0x0806,
                             arp(1, kTheirMac, "192.0.2.2", MacAddress{}, "192.0.2.1")))
                  .empty());
  EXPECT_EQ(count(WireEvent::kQueueFull), 58u);
  const auto frames = left();
  ASSERT_EQ(frames.size(), 15u);
  for (std::uint8_t i = 0; i < 15; ++i)
    EXPECT_EQ(frames[i].back(), i);
  EXPECT_EQ(pool->available(), pool->size());
}

TEST_F(EthdevPortRefusals, ConcernTrainsThatFindNoBuffers) {
  open();
  meet("192.0.2.2");
  rte_mbuf* const made = train("192.0.2.2:9", Bytes(30), 10);
  std::vector<rte_mbuf*> hoard;
  while (rte_mbuf* const one = rte_pktmbuf_alloc(pool->get()))
    hoard.push_back(one);
  rte_pktmbuf_free(hoard.back());
  hoard.pop_back();
  EXPECT_EQ(send({made}), (Outcome{.sent = 1, .refused = 2}));
  EXPECT_EQ(count(WireEvent::kCopied), 1u);
  rte_pktmbuf_free_bulk(hoard.data(), static_cast<unsigned>(hoard.size()));
}

// A question that finds no buffer is asked again.
TEST_F(EthdevPortRefusals, DoNotConcernQuestions) {
  open();
  rte_mbuf* const made = datagram("192.0.2.2:9", kPayload);
  std::vector<rte_mbuf*> hoard;
  while (rte_mbuf* const one = rte_pktmbuf_alloc(pool->get()))
    hoard.push_back(one);
  EXPECT_EQ(send({made}), (Outcome{.sent = 1}));
  EXPECT_TRUE(left().empty());
  rte_pktmbuf_free_bulk(hoard.data(), static_cast<unsigned>(hoard.size()));
  wait(std::chrono::seconds(1));
  EXPECT_EQ(left().size(), 1u);
  EXPECT_TRUE(receive(answer_of("192.0.2.2")).empty());
  EXPECT_EQ(left().size(), 1u);
}

TEST_F(EthdevPortRefusals, ConcernAPortWithoutAnAddress) {
  device.emplace();
  EthdevPortSettings settings = both_families();
  settings.addresses.clear();
  settings.device.device = device->name();
  EXPECT_THROW(const EthdevPort refused(settings), std::runtime_error);
}

}  // namespace
}  // namespace ipop::engine
