// The port on one end of a socket pair, with the test at the other end in the kernel's place: so
// it can say what no kernel says.
#include "kni/tap_port.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "frames.hpp"
#include "kni/checksum.hpp"
#include "kni/derived_mac.hpp"
#include "packet_pool.hpp"

namespace ipop::kni {
namespace {

using testing::arp_request;
using testing::Bytes;
using testing::hex;
using testing::ip;
using testing::kHostMac;
using testing::packet_pool;
using testing::packets_in_use;
using testing::to_bytes;
using testing::udp_frame;

using Frames = std::vector<Bytes>;

const Bytes kPlain(kVnetHeaderSize);

class TapPortTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_NE(packet_pool(), nullptr);
    std::array<int, 2> ends;
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    near_ = Fd(ends[0]);
    kernel_ = Fd(ends[1]);
    port_ = std::make_unique<TapPort>(near_.get(), kHostMac,
                                      std::vector{ip("192.168.10.10"), ip("fd00:10::10")});
  }
  void TearDown() override { EXPECT_EQ(packets_in_use(), 0u) << "a packet was lost or kept"; }

  void from_kernel(const Bytes& header, const Bytes& frame) const {
    Bytes all = header;
    all.insert(all.end(), frame.begin(), frame.end());
    ASSERT_EQ(::send(kernel_.get(), all.data(), all.size(), 0), static_cast<ssize_t>(all.size()));
  }
  // The next frame that the port wrote, header included; empty if none.
  [[nodiscard]] Bytes to_kernel() const {
    Bytes all(70000);
    const ssize_t got = ::recv(kernel_.get(), all.data(), all.size(), 0);
    all.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    return all;
  }
  // One burst, as bytes; the packets are freed.
  [[nodiscard]] std::vector<Bytes> receive(std::size_t most = engine::kBurst) {
    std::array<rte_mbuf*, engine::kBurst> packets;
    const std::uint16_t count = port_->rx_burst(packet_pool(), std::span(packets).first(most));
    std::vector<Bytes> frames;
    for (rte_mbuf* packet : std::span(packets).first(count)) {
      EXPECT_EQ(packet->pkt_len, packet->data_len);
      frames.push_back(to_bytes(packet));
      rte_pktmbuf_free(packet);
    }
    return frames;
  }

  Fd near_;
  Fd kernel_;
  std::unique_ptr<TapPort> port_;
  const Bytes frame_ = udp_frame(derived_mac(ip("192.168.10.20")), {ip("192.168.10.10"), 1},
                                 {ip("192.168.10.20"), 2}, "hello");
};

TEST_F(TapPortTest, HandsFramesOverInOrderAndWhole) {
  std::vector<Bytes> sent;
  for (std::uint8_t i = 0; i < 5; ++i) {
    sent.push_back(frame_);
    sent.back().back() = i;
    from_kernel(kPlain, sent.back());
  }
  EXPECT_EQ(receive(3), Frames(sent.begin(), sent.begin() + 3));
  EXPECT_EQ(receive(), Frames(sent.begin() + 3, sent.end()));
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(port_->counters().errors, 0u);
}

TEST_F(TapPortTest, LeavesFramesThatAreNotIpToTheEngine) {
  Bytes other = frame_;
  other[12] = 0x88;
  other[13] = 0xcc;
  from_kernel(kPlain, other);
  EXPECT_EQ(receive(), Frames{other});
}

TEST_F(TapPortTest, DropsAndCountsWhatMakesNoSense) {
  struct Case {
    const char* description;
    Bytes header;
    Bytes frame;
  };
  const Case cases[] = {
      {"a TCP super-packet without a partial checksum", hex("0001 3600 7805 0000 0000"), frame_},
      {"a UDP super-packet without a partial checksum", hex("0005 2a00 7805 0000 0000"), frame_},
      {"a UDP super-packet with segments of nothing", hex("0105 2a00 0000 2200 0600"), frame_},
      {"a UDP super-packet with TCP's checksum", hex("0105 2a00 0100 2200 1000"), frame_},
      {"a TCP super-packet that ends in its header", hex("0101 3600 0100 2200 1000"), frame_},
      {"segments that are IP fragments", hex("0103 2a00 0100 2200 0600"), frame_},
      {"segments of no kind known", hex("017f 2a00 0100 2200 0600"), frame_},
      {"checksum in the Ethernet header", hex("0100 0000 0000 0d00 0000"), frame_},
      {"checksum starts behind the end", hex("0100 0000 0000 ffff 0000"), frame_},
      {"checksum lies behind the end", hex("0100 0000 0000 2200 ffff"), frame_},
      {"shorter than an Ethernet header", kPlain, Bytes(13)},
      {"a header alone", kPlain, {}},
      {"half a header", hex("0000 0000 00"), {}},
  };
  std::uint64_t dropped = 0;
  for (const Case& c : cases) {
    from_kernel(c.header, c.frame);
    EXPECT_TRUE(receive().empty()) << c.description;
    EXPECT_EQ(port_->counters().rx_malformed, ++dropped) << c.description;
  }
  from_kernel(kPlain, frame_);
  EXPECT_EQ(receive().size(), 1u);
}

TEST_F(TapPortTest, LeavesAPartialChecksumToTheEngine) {
  const Bytes frame =
      udp_frame(kHostMac, {ip("fd00:10::10"), 1000}, {ip("fd00:10::20"), 2000}, "x");
  from_kernel(hex("0100 0000 0000 3600 0600"), frame);
  std::array<rte_mbuf*, 1> packet;
  ASSERT_EQ(port_->rx_burst(packet_pool(), packet), 1u);
  EXPECT_EQ(to_bytes(packet[0]), frame);
  EXPECT_EQ(packet[0]->ol_flags & RTE_MBUF_F_TX_L4_MASK, RTE_MBUF_F_TX_UDP_CKSUM);
  EXPECT_EQ(packet[0]->l2_len, 14u);
  EXPECT_EQ(packet[0]->l3_len, 40u);
  EXPECT_EQ(packet[0]->tso_segsz, 0u);
  rte_pktmbuf_free(packet[0]);
}

TEST_F(TapPortTest, CompletesAChecksumThatTheEngineDoesNotKnow) {
  Bytes frame = frame_;
  from_kernel(hex("0100 0000 0000 2200 0800"), frame);
  ASSERT_TRUE(complete_checksum(frame, 0x22, 8));
  EXPECT_EQ(receive(), Frames{frame});
  EXPECT_EQ(port_->counters().checksums_completed, 1u);
}

TEST_F(TapPortTest, MarksASuperPacket) {
  // 34 bytes of Ethernet and IPv4, 8 of UDP, "hello".
  from_kernel(hex("0105 2a00 0200 2200 0600"), frame_);
  std::array<rte_mbuf*, 1> packet;
  ASSERT_EQ(port_->rx_burst(packet_pool(), packet), 1u);
  EXPECT_EQ(to_bytes(packet[0]), frame_);
  EXPECT_NE(packet[0]->ol_flags & RTE_MBUF_F_TX_UDP_SEG, 0u);
  EXPECT_EQ(packet[0]->tso_segsz, 2u);
  EXPECT_EQ(packet[0]->l3_len, 20u);
  EXPECT_EQ(packet[0]->l4_len, 8u);
  rte_pktmbuf_free(packet[0]);
}

TEST_F(TapPortTest, DropsAFrameThatDoesNotFitAPacket) {
  Bytes fits = frame_;
  fits.resize(testing::kDataRoom);
  Bytes too_long = frame_;
  too_long.resize(testing::kDataRoom + 1);
  from_kernel(kPlain, too_long);
  from_kernel(kPlain, fits);
  EXPECT_EQ(receive(), Frames{fits});
  EXPECT_EQ(port_->counters().rx_too_long, 1u);
}

TEST_F(TapPortTest, WaitsForThePoolAndLosesNothing) {
  std::array<rte_mbuf*, testing::kPoolSize> all;
  ASSERT_EQ(rte_pktmbuf_alloc_bulk(packet_pool(), all.data(), all.size()), 0);
  from_kernel(kPlain, frame_);
  EXPECT_TRUE(receive().empty());
  EXPECT_EQ(port_->counters().rx_no_buffer, 1u);
  rte_pktmbuf_free_bulk(all.data(), all.size());
  EXPECT_EQ(receive(), Frames{frame_});
}

TEST_F(TapPortTest, AnswersArpBetweenFrames) {
  from_kernel(kPlain, frame_);
  from_kernel(kPlain, arp_request("192.168.10.10", "192.168.10.20"));
  from_kernel(kPlain, testing::neighbour_solicitation({}));
  from_kernel(kPlain, frame_);
  EXPECT_EQ(receive(), (Frames{frame_, frame_}));
  EXPECT_EQ(port_->neighbour_answered(), 2u);
  const Bytes reply = to_kernel();
  ASSERT_EQ(reply.size(), kVnetHeaderSize + 42);
  EXPECT_EQ(Bytes(reply.begin(), reply.begin() + kVnetHeaderSize), kPlain);
  EXPECT_EQ(Bytes(reply.begin() + kVnetHeaderSize, reply.begin() + kVnetHeaderSize + 14),
            hex("0249c0a80a0a 0249c0a80a14 0806"));
  EXPECT_EQ(to_kernel().size(), kVnetHeaderSize + 86);
}

TEST_F(TapPortTest, SwallowsQuestionsThatGetNoAnswer) {
  from_kernel(kPlain, arp_request("192.168.10.10", "192.168.10.10"));
  from_kernel(kPlain, testing::neighbour_solicitation({.hop_limit = 64}));
  EXPECT_TRUE(receive().empty());
  EXPECT_TRUE(to_kernel().empty());
  const TapCounters counters = port_->counters();
  EXPECT_EQ(counters.neighbour_answered, 0u);
  EXPECT_EQ(counters.neighbour_ignored, 1u);
  EXPECT_EQ(counters.neighbour_malformed, 1u);
}

TEST_F(TapPortTest, WritesFramesBehindTheEthernetHeaderOfTheirSource) {
  Bytes frame = udp_frame(kHostMac, {ip("192.168.10.20"), 1}, {ip("192.168.10.10"), 2}, "hello");
  Bytes expected = kPlain;
  expected.insert(expected.end(), frame.begin(), frame.end());
  port_->write_ethernet(&expected[kVnetHeaderSize], ip("192.168.10.20"));
  const std::array frames{testing::host_frame(frame), testing::host_frame(frame)};
  std::ranges::fill(std::span(frame).first(14), std::uint8_t{0xee});
  EXPECT_EQ(port_->tx_burst(frames).delivered, 2u);
  EXPECT_EQ(to_kernel(), expected);
  EXPECT_EQ(to_kernel(), expected);
  EXPECT_TRUE(to_kernel().empty());
}

TEST_F(TapPortTest, WritesPiecesAsOneFrame) {
  Bytes head(frame_.begin(), frame_.begin() + 40);
  Bytes middle(frame_.begin() + 40, frame_.begin() + 44);
  Bytes tail(frame_.begin() + 44, frame_.end());
  const engine::Piece third{.at = tail.data(), .length = static_cast<std::uint32_t>(tail.size())};
  const engine::Piece second{.at = middle.data(), .length = 4, .next = &third};
  engine::HostFrame frame = testing::host_frame(head);
  frame.first.next = &second;
  frame.size = static_cast<std::uint32_t>(frame_.size());
  EXPECT_EQ(port_->tx_burst(std::array{frame}).delivered, 1u);
  const Bytes written = to_kernel();
  EXPECT_EQ(Bytes(written.begin() + kVnetHeaderSize + 14, written.end()),
            Bytes(frame_.begin() + 14, frame_.end()));
}

TEST_F(TapPortTest, WritesTheOthersWhenOneIsRefused) {
  Bytes head = frame_;
  std::uint8_t byte = 0;
  std::vector<engine::Piece> pieces(100, {.at = &byte, .length = 1});
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i)
    pieces[i].next = &pieces[i + 1];
  engine::HostFrame frame = testing::host_frame(head);
  frame.first.next = pieces.data();
  frame.packets = 5;
  Bytes other = frame_;
  const auto written = port_->tx_burst(
      std::array{frame, testing::host_frame(other), frame, testing::host_frame(other)});
  EXPECT_EQ(written.delivered, 2u);
  EXPECT_EQ(written.refused, 10u);
  EXPECT_EQ(port_->counters().errors, 2u);
}

TEST_F(TapPortTest, SaysWhatAFullQueueDoesNotTake) {
  Bytes bytes = frame_;
  const std::vector<engine::HostFrame> frames(engine::kBurst, testing::host_frame(bytes));
  engine::HostWritten written;
  do {
    written = port_->tx_burst(frames);
  } while (written.refused == 0);
  EXPECT_EQ(written.delivered + written.refused, frames.size());
  EXPECT_EQ(port_->counters().errors, 0u);
}

TEST_F(TapPortTest, NamesWhatToWaitFor) {
  std::array<int, engine::kMaxWaitFds> fds{};
  ASSERT_EQ(port_->wait_fds(fds), 1u);
  EXPECT_EQ(fds[0], near_.get());
}

TEST_F(TapPortTest, WritesTheEthernetHeaderOfAPeer) {
  Bytes header(14);
  port_->write_ethernet(header.data(), ip("192.168.10.20"));
  EXPECT_EQ(header, hex("0249c0a80a0a 0249c0a80a14 0800"));
  port_->write_ethernet(header.data(), ip("fd00:10::20"));
  EXPECT_EQ(MacAddress::at(&header[6]), derived_mac(ip("fd00:10::20")));
  EXPECT_EQ(load_be<std::uint16_t>(&header[12]), 0x86dd);
}

}  // namespace
}  // namespace ipop::kni
