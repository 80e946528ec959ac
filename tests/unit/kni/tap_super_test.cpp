// Super-packets between a kernel's sockets and the port on a real tap, in a network namespace of
// its own:
//
//     TCP and UDP sockets ── kernel ── tapipop ── TapPort ── this test, as the peer
//          192.168.10.10, fd00:10::10                  192.168.10.20, fd00:10::20
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <optional>

#include "frames.hpp"
#include "kni/checksum.hpp"
#include "kni/host_link.hpp"
#include "kni/tap_port.hpp"
#include "packet_pool.hpp"
#include "private_network.hpp"
#include "tests/unit/engine/transport_packets.hpp"

namespace ipop::kni {
namespace {

namespace tcp = engine::tcp;
using engine::FrameMarks;
using engine::PacketSpec;
using testing::Bytes;
using testing::eventually;
using testing::ip;
using testing::packet_pool;
using testing::super_pool;
using testing::udp_socket;

constexpr std::uint16_t kMtu = 1300;

struct Side {
  const char *own, *peer;
};
constexpr Side kSides[] = {{"192.168.10.10", "192.168.10.20"}, {"fd00:10::10", "fd00:10::20"}};

struct FromHost {
  Bytes frame;
  FrameMarks marks;
};

std::string random_text(std::size_t size) {
  std::mt19937_64 random(size);
  const Bytes bytes = engine::random_payload(random, size);
  return {bytes.begin(), bytes.end()};
}

std::string text_of(const Bytes& bytes, std::size_t from) {
  return {bytes.begin() + static_cast<std::ptrdiff_t>(from), bytes.end()};
}

class TapSupers : public testing::PrivateNetwork {
 protected:
  void SetUp() override {
    PrivateNetwork::SetUp();
    if (HasFatalFailure()) return;
    ASSERT_NE(packet_pool(), nullptr);
    ASSERT_NE(super_pool(), nullptr);
    link_.emplace(HostLinkSettings{
        .mtu = kMtu, .addresses = {{ip("192.168.10.10"), 24}, {ip("fd00:10::10"), 64}}});
    const Tap& tap = link_->tap();
    port_.emplace(link_->tap().queues.front().get(), link_->mac(), link_->own_addresses(),
                  engine::HostOffloads{.tcp = tap.tcp_segments, .udp = tap.udp_segments});
  }
  void TearDown() override { EXPECT_EQ(testing::packets_in_use(), 0u); }

  // The next frame of TCP or UDP from the kernel, judged; nothing after two seconds without one.
  std::optional<FromHost> next_frame() {
    std::optional<FromHost> found;
    (void)eventually(link_->tap().queues.front().get(), POLLIN, [&] {
      std::array<rte_mbuf*, 1> packet;
      while (port_->rx_burst({packet_pool(), super_pool()}, packet) == 1) {
        FromHost made{testing::to_bytes(packet[0]), marks_of(*packet[0])};
        rte_pktmbuf_free(packet[0]);
        if (MacAddress::at(made.frame.data()).is_group()) continue;
        found = std::move(made);
        return true;
      }
      return false;
    });
    if (found) expect_right(*found);
    return found;
  }

  static FrameMarks marks_of(const rte_mbuf& packet) {
    const std::uint64_t checksum = packet.ol_flags & RTE_MBUF_F_TX_L4_MASK;
    if (checksum == 0) {
      EXPECT_EQ(packet.tso_segsz, 0u);
      return {};
    }
    EXPECT_EQ(packet.l2_len, 14u);
    const bool is_tcp = checksum == RTE_MBUF_F_TX_TCP_CKSUM;
    if (packet.tso_segsz != 0) {
      EXPECT_NE(packet.ol_flags & (is_tcp ? RTE_MBUF_F_TX_TCP_SEG : RTE_MBUF_F_TX_UDP_SEG), 0u);
      EXPECT_GT(packet.pkt_len, packet.l2_len + packet.l3_len + packet.l4_len + packet.tso_segsz);
      EXPECT_EQ(packet.l4_len, is_tcp ? 20u : 8u);
    }
    return {.partial_checksum = true,
            .transport_start = packet.l3_len,
            .is_tcp = is_tcp,
            .segment_size = packet.tso_segsz};
  }
  // Lengths fit, and the checksum completes to a right one.
  static void expect_right(const FromHost& from) {
    const Bytes packet(from.frame.begin() + 14, from.frame.end());
    const bool six = packet[0] >> 4 == 6;
    EXPECT_EQ(load_be<std::uint16_t>(&packet[six ? 4 : 2]) + (six ? 40u : 0u), packet.size());
    if (!from.marks.partial_checksum) return;
    EXPECT_EQ(from.marks.transport_start, six ? 40u : 20u);
    Bytes whole = packet;
    EXPECT_TRUE(complete_checksum(whole, from.marks.transport_start, from.marks.is_tcp ? 16u : 6u));
    EXPECT_EQ(
        engine::naive_transport_checksum(whole, from.marks.transport_start, from.marks.is_tcp), 0);
    if (from.marks.segment_size == 0) return;
    for (const Bytes& segment : engine::packets_of(from.frame, from.marks))
      EXPECT_LE(segment.size(), kMtu);
  }

  // To the kernel, in two pieces where there is enough.
  void write(const PacketSpec& spec, std::size_t segment_size = 0) {
    Bytes frame(14);
    const Bytes packet = engine::build(spec);
    frame.insert(frame.end(), packet.begin(), packet.end());
    engine::HostFrame made{.size = static_cast<std::uint32_t>(frame.size()), .source = spec.from};
    const auto cut = static_cast<std::uint32_t>(std::min(frame.size(), 14 + spec.headers() + 7));
    const engine::Piece rest{.at = frame.data() + cut, .length = made.size - cut};
    made.first = {.at = frame.data(), .length = cut, .next = rest.length == 0 ? nullptr : &rest};
    if (spec.checksum == engine::Checksum::kPartial) {
      made.partial_checksum = true;
      made.checksum_start = static_cast<std::uint16_t>(14 + spec.transport_start());
      made.checksum_offset = spec.is_tcp ? 16 : 6;
    }
    if (segment_size != 0) {
      made.segmentation = !spec.is_tcp        ? engine::Segmentation::kUdp
                          : spec.from.is_v4() ? engine::Segmentation::kTcp4
                                              : engine::Segmentation::kTcp6;
      made.segment_size = static_cast<std::uint16_t>(segment_size);
      made.header_length = static_cast<std::uint16_t>(14 + spec.headers());
    }
    EXPECT_EQ(port_->tx_burst(std::array{made}).refused, 0u);
    EXPECT_EQ(port_->counters().errors, 0u);
  }

  std::optional<HostLink> link_;
  std::optional<TapPort> port_;
};

TEST_F(TapSupers, AUdpSocketThatSegmentsGivesASuperPacket) {
  for (const Side& side : kSides) {
    const Fd socket = udp_socket({ip(side.own), 4000});
    const int each = 1000;
    ASSERT_EQ(setsockopt(socket.get(), IPPROTO_UDP, UDP_SEGMENT, &each, sizeof each), 0);
    const std::string text = random_text(10'300);
    ASSERT_EQ(testing::send_to(socket, {ip(side.peer), 5000}, text), 0);
    std::string got;
    std::size_t frames = 0;
    std::size_t datagrams = 0;
    while (got.size() < text.size()) {
      const auto frame = next_frame();
      ASSERT_TRUE(frame);
      ++frames;
      for (const Bytes& packet : engine::packets_of(frame->frame, frame->marks)) {
        got += text_of(packet, (side.own[0] == 'f' ? 40 : 20) + 8);
        ++datagrams;
      }
    }
    EXPECT_TRUE(got == text);
    EXPECT_EQ(datagrams, 11u);
    if (link_->tap().udp_segments) {
      EXPECT_EQ(frames, 1u);
    }
  }
}

TEST_F(TapSupers, AMergedUdpFrameReachesASocketAsItsDatagrams) {
  if (!link_->tap().udp_segments) GTEST_SKIP() << "no UDP segmentation in this kernel";
  for (const Side& side : kSides) {
    const Fd socket = udp_socket({ip(side.own), 4000});
    const std::string text = random_text(5 * 900 + 33);
    const PacketSpec spec{.from = ip(side.peer),
                          .to = ip(side.own),
                          .is_tcp = false,
                          .from_port = 5000,
                          .to_port = 4000,
                          .payload = Bytes(text.begin(), text.end()),
                          .checksum = engine::Checksum::kPartial};
    write(spec, 900);
    for (std::size_t at = 0; at < text.size(); at += 900)
      EXPECT_TRUE(testing::receive(socket) == text.substr(at, 900)) << at;
  }
}

TEST_F(TapSupers, APartialChecksumReachesASocket) {
  for (const Side& side : kSides) {
    const Fd socket = udp_socket({ip(side.own), 4000});
    const PacketSpec spec{.from = ip(side.peer),
                          .to = ip(side.own),
                          .is_tcp = false,
                          .from_port = 5000,
                          .to_port = 4000,
                          .payload = {'h', 'i'},
                          .checksum = engine::Checksum::kPartial};
    write(spec);
    EXPECT_EQ(testing::receive(socket), "hi");
  }
}

// A connection of the kernel's to a peer that this test plays.
class TapTcp : public TapSupers, public ::testing::WithParamInterface<Side> {
 protected:
  // The whole handshake; from then on `next_` is what the peer says next.
  void connect() {
    const Side& side = GetParam();
    socket_ = Fd(::socket(side.own[0] == 'f' ? AF_INET6 : AF_INET,
                          SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_storage to;
    const std::size_t size = Endpoint{ip(side.peer), 5000}.to_sockaddr(to);
    ASSERT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to),
                        static_cast<socklen_t>(size)),
              -1);
    ASSERT_EQ(errno, EINPROGRESS);
    const auto syn = next_frame();
    ASSERT_TRUE(syn);
    start_ = side.own[0] == 'f' ? 40 : 20;
    const std::uint8_t* const at = syn->frame.data() + 14 + start_;
    ASSERT_EQ(at[13], tcp::kSyn);
    host_sequence_ = load_be<std::uint32_t>(at + 4) + 1;
    next_ = {.from = ip(side.peer),
             .to = ip(side.own),
             .from_port = 5000,
             .to_port = load_be<std::uint16_t>(at),
             .sequence = 0xfffff000,  // it wraps soon
             .acknowledged = host_sequence_,
             .window = 65535};
    PacketSpec answer = next_;
    answer.sequence -= 1;
    answer.flags |= tcp::kSyn;
    answer.tcp_options = {2, 4, 1000 >> 8, 1000 & 0xff};  // segments of 1,000 bytes
    write(answer);
    const auto ack = next_frame();
    ASSERT_TRUE(ack);
    ASSERT_EQ(ack->frame[14 + start_ + 13], tcp::kAck);
  }

  Fd socket_;
  std::size_t start_ = 0;
  std::uint32_t host_sequence_ = 0;
  PacketSpec next_;
};

TEST_P(TapTcp, ALongWriteGivesSuperPackets) {
  ASSERT_NO_FATAL_FAILURE(connect());
  const std::string text = random_text(40'000);
  ASSERT_EQ(::send(socket_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
  std::string got;
  std::size_t longest = 0;
  while (got.size() < text.size()) {
    const auto frame = next_frame();
    ASSERT_TRUE(frame) << got.size();
    const auto packets = engine::packets_of(frame->frame, frame->marks);
    for (const Bytes& packet : packets) {
      ASSERT_EQ(load_be<std::uint32_t>(&packet[start_ + 4]), host_sequence_ + got.size());
      got += text_of(packet, start_ + 20);
    }
    if (packets.size() > 1) {
      EXPECT_EQ(frame->marks.segment_size, 1000u);
    }
    longest = std::max(longest, packets.size());
    next_.acknowledged = host_sequence_ + static_cast<std::uint32_t>(got.size());
    write(next_);
  }
  EXPECT_TRUE(got == text);
  EXPECT_GT(longest, 4u);
}

TEST_P(TapTcp, AMergedFrameIsReadAsAStream) {
  ASSERT_NO_FATAL_FAILURE(connect());
  const std::string text = random_text(20 * 1000 + 17);
  next_.payload.assign(text.begin(), text.end());
  next_.flags |= tcp::kPsh;
  next_.checksum = engine::Checksum::kPartial;
  write(next_, 1000);
  std::string got;
  while (got.size() < text.size()) {
    const std::string more = testing::receive(socket_);
    ASSERT_FALSE(more.empty()) << got.size();
    got += more;
  }
  EXPECT_TRUE(got == text);
}

INSTANTIATE_TEST_SUITE_P(Families, TapTcp, ::testing::ValuesIn(kSides), [](const auto& parameter) {
  return std::string(parameter.param.own[0] == 'f' ? "Ipv6" : "Ipv4");
});

}  // namespace
}  // namespace ipop::kni
