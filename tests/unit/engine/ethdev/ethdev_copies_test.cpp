// Where the bytes of a packet lie on their way through the engine and a DPDK port: a buffer that
// comes leaves, and nothing else is filled. A super-packet is written once, into the buffers that
// leave.
#include "engine/path/data_header.hpp"
#include "engine/path/packet.hpp"
#include "engine/path/relay_header.hpp"
#include "engine_link.hpp"

namespace ipop::engine {
namespace {

constexpr std::size_t kLinkHeaders = 14 + 20 + 8;

class EthdevCopies : public testing::EngineLink {
 protected:
  [[nodiscard]] std::uint32_t buffers_in_use() const { return pool->size() - pool->available(); }

  // With no buffer more than it has segments.
  void must_write_a_super_packet_once(bool partial_checksums) {
    start(255, partial_checksums);
    (void)super_of_host(kBurst * 1000, 1000);
    exhaust(kBurst);
    turn();
    EXPECT_EQ(fate(Fate::kSent), kBurst);
    EXPECT_EQ(pool->available(), 0u);
    EXPECT_EQ(supers->available(), supers->size());
    EXPECT_EQ(count(WireEvent::kCopied), 0u);
    EXPECT_EQ(left().size(), kBurst);
  }
};

TEST_F(EthdevCopies, OfASealedPacketThereAreNone) {
  start();
  rte_mbuf* const made = packet_of_host(400);
  const std::uint8_t* const text = data_of(made) + kEthernetHeader;
  turn();
  EXPECT_EQ(fate(Fate::kSent), 1u);
  EXPECT_EQ(buffers_in_use(), 1u);
  const auto frames = frames_left();
  ASSERT_EQ(frames.size(), 1u);
  EXPECT_EQ(frames[0], made);
  EXPECT_EQ(data_of(made) + kLinkHeaders + kDataHeader, text);
  EXPECT_EQ(count(WireEvent::kCopied), 0u);
  rte_pktmbuf_free(made);
}

TEST_F(EthdevCopies, OfAnOpenedPacketThereAreNone) {
  start();
  rte_mbuf* const made = packet_of_host(400);
  const std::uint8_t* const text = data_of(made) + kEthernetHeader;
  turn();
  ASSERT_EQ(frames_left().size(), 1u);
  send_back(made);
  turn();
  EXPECT_EQ(fate(Fate::kDelivered), 1u);
  EXPECT_EQ(host.taken(), std::vector{text});
  EXPECT_EQ(count(WireEvent::kCopied), 0u);
  EXPECT_EQ(buffers_in_use(), 0u);
}

TEST_F(EthdevCopies, OfARelayedDatagramThereAreNone) {
  start();
  const PeerIndex far = *table->add_peer();
  table->set_path(far, {Endpoint::parse("192.0.2.3:4545").value(), 1452});
  meet("192.0.2.3");
  const RelayLabel label = *table->reserve_label();
  table->set_label(label, {.from = peer, .to = far, .label = 7});
  rte_mbuf* burst[kBurst];
  const std::uint8_t* texts[kBurst];
  for (std::size_t i = 0; i < kBurst; ++i) {
    burst[i] = datagram("192.0.2.2:9", testing::Bytes(1000));
    write_relay_header(data_of(burst[i]), kMostRelays, static_cast<std::uint32_t>(label));
    write_data_header(data_of(burst[i]) + kRelayHeader, 1, i);
    texts[i] = data_of(burst[i]);
    // As it would have left us for the peer.
    const UdpHeaders headers(testing::kOurMac, kNoVlan, testing::ip("192.0.2.1"));
    headers.write_before(data_of(burst[i]), 1000, testing::kTheirMac,
                         {testing::ip(kPeer), kOurPort}, kOurPort, UdpHeaders::Checksum::kNone,
                         true);
    grow_front(burst[i], kLinkHeaders);
    send_back(burst[i]);
  }
  turn();
  EXPECT_EQ(fate(Fate::kRelayed), kBurst);
  EXPECT_EQ(buffers_in_use(), kBurst);
  const auto frames = frames_left();
  EXPECT_EQ(frames, std::vector(std::begin(burst), std::end(burst)));
  for (std::size_t i = 0; i < frames.size(); ++i) {
    EXPECT_EQ(data_of(frames[i]) + kLinkHeaders, texts[i]);
    rte_pktmbuf_free(frames[i]);
  }
  EXPECT_EQ(count(WireEvent::kCopied), 0u);
}

TEST_F(EthdevCopies, OfASuperPacketThereIsOneInTheBuffersThatLeave) {
  must_write_a_super_packet_once(true);
}

TEST_F(EthdevCopies, OfASuperPacketWhoseChecksumsAreCompletedThereIsOneToo) {
  must_write_a_super_packet_once(false);
}

}  // namespace
}  // namespace ipop::engine
