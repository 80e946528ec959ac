// Segmentation against the model in transport_packets.hpp, and what is no super-packet.
#include "engine/path/segment.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "engine/path/transport.hpp"
#include "tests/unit/engine/transport_packets.hpp"

namespace ipop::engine {
namespace {

// A packet in an mbuf of no pool, with the marks of HostPort::rx_burst.
class Marked {
 public:
  Marked(const PacketSpec& spec, std::size_t segment_size) : bytes_(build(spec)) {
    mbuf_->buf_addr = bytes_.data();
    mbuf_->pkt_len = static_cast<std::uint32_t>(bytes_.size());
    mbuf_->data_len = static_cast<std::uint16_t>(bytes_.size());
    mbuf_->l3_len = spec.transport_start() & 0x1ff;
    mbuf_->l4_len = spec.transport_header() & 0xff;
    mbuf_->tso_segsz = static_cast<std::uint16_t>(segment_size);
    mbuf_->ol_flags = spec.is_tcp ? RTE_MBUF_F_TX_TCP_SEG : RTE_MBUF_F_TX_UDP_SEG;
  }

  [[nodiscard]] Bytes& bytes() { return bytes_; }
  [[nodiscard]] rte_mbuf& mbuf() { return *mbuf_; }
  [[nodiscard]] std::optional<SuperPacket> super() const {
    const auto inner = parse_inner(bytes_);
    EXPECT_TRUE(inner);
    return inner ? SuperPacket::of(mbuf_.get(), *inner) : std::nullopt;
  }

 private:
  Bytes bytes_;
  std::unique_ptr<rte_mbuf> mbuf_ = std::make_unique<rte_mbuf>();
};

PacketSpec random_super(std::mt19937_64& random, std::size_t size) {
  const auto one_in = [&](unsigned n) { return random() % n == 0; };
  PacketSpec spec{.is_tcp = random() % 3 != 0,
                  .from_port = static_cast<std::uint16_t>(random()),
                  .to_port = static_cast<std::uint16_t>(random()),
                  .traffic_class = static_cast<std::uint8_t>(random()),
                  .hop_limit = static_cast<std::uint8_t>(random()),
                  .flow_label = static_cast<std::uint32_t>(random() % (1 << 20)),
                  .never_cut = one_in(2),
                  .id = static_cast<std::uint16_t>(one_in(3) ? 0xfff0 + random() % 16 : random()),
                  .sequence = static_cast<std::uint32_t>(random()),
                  .acknowledged = static_cast<std::uint32_t>(random()),
                  .window = static_cast<std::uint16_t>(random()),
                  .checksum = Checksum::kPartial};
  if (one_in(2)) {
    spec.from = IpAddress::v6_at(random_payload(random, 16).data());
    spec.to = IpAddress::v6_at(random_payload(random, 16).data());
  } else {
    spec.from = IpAddress::v4(static_cast<std::uint32_t>(random()));
    spec.to = IpAddress::v4(static_cast<std::uint32_t>(random()));
  }
  // An option of five bytes that says to skip it, and padding.
  if (!spec.from.is_v4() && one_in(3)) spec.ip_options = {0, 0, 0x1e, 4, 1, 2, 3, 4};
  if (one_in(4)) spec.sequence = 0xffffffff - static_cast<std::uint32_t>(random() % (size + 1));
  spec.flags |=
      static_cast<std::uint8_t>(random() & (tcp::kPsh | tcp::kFin | tcp::kCwr | tcp::kEce));
  if (spec.is_tcp) spec.tcp_options = random_payload(random, random() % 11 * 4);
  // Payloads of all ones and of zeros meet the two forms of a zero sum.
  spec.payload = one_in(8) ? Bytes(size, one_in(2) ? 0xff : 0) : random_payload(random, size);
  return spec;
}

Bytes segment_of(const SuperPacket& super, Bytes& packet, std::uint32_t index) {
  Bytes segment(super.headers() + super.payload(index));
  super.write_headers(index, segment.data());
  std::copy_n(packet.begin() + super.payload_start(index), super.payload(index),
              segment.begin() + super.headers());
  return segment;
}

TEST(SuperPacket, MakesTheSegmentsThatTheModelMakes) {
  std::mt19937_64 random(20'26);
  std::size_t segments = 0;
  std::size_t full_last = 0;
  std::size_t extended = 0;
  for (int round = 0; round < 8 * IPOP_MODEL_SEEDS; ++round) {
    const std::size_t size_class[] = {20, 200, 3000, 60000};
    std::size_t size = 1 + random() % size_class[random() % 4];
    const std::size_t each_class[] = {4, 100, 1500, 9000};
    std::size_t each = 1 + random() % each_class[random() % 4];
    each = std::max(each, (size + SuperPacket::kMaxSegments - 1) / SuperPacket::kMaxSegments);
    if (random() % 4 == 0 && size > each) size -= size % each;
    const PacketSpec spec = random_super(random, size);
    Marked packet(spec, each);
    SCOPED_TRACE(testing::Message()
                 << "round " << round << ", " << size << " by " << each
                 << (spec.is_tcp ? " TCP" : " UDP") << " from " << spec.from.to_string());
    const auto expected = cut_super(packet.bytes(), spec.transport_start(), spec.is_tcp, each);
    const auto super = packet.super();
    ASSERT_TRUE(super);
    ASSERT_EQ(super->count(), expected.size());
    EXPECT_EQ(super->headers(), spec.headers());
    EXPECT_EQ(super->total_payload(), size);
    EXPECT_EQ(super->transport_start(), spec.transport_start());
    EXPECT_EQ(super->can_travel_partial(), spec.ip_options.empty());
    std::size_t sum = 0;
    for (std::uint32_t i = 0; i < super->count(); ++i) {
      Bytes segment = segment_of(*super, packet.bytes(), i);
      sum += super->payload(i);
      complete_checksum(MutableBytes(segment).subspan(super->transport_start()),
                        super->checksum_offset());
      ASSERT_EQ(segment, expected[i]) << "segment " << i;
      ASSERT_EQ(naive_transport_checksum(segment, spec.transport_start(), spec.is_tcp), 0);
    }
    EXPECT_EQ(sum, size);
    segments += expected.size();
    full_last += size % each == 0 && size > each;
    extended += !spec.ip_options.empty();
  }
  EXPECT_GT(segments, IPOP_MODEL_SEEDS * 300u);
  EXPECT_GT(full_last, IPOP_MODEL_SEEDS * 2u / 3);
  EXPECT_GT(extended, IPOP_MODEL_SEEDS * 2u / 3);
}

TEST(SuperPacket, WritesHeadersInAnyOrderAndNoByteBeyondThem) {
  std::mt19937_64 random(7);
  const PacketSpec spec = random_super(random, 5000);
  Marked packet(spec, 700);
  const auto super = packet.super();
  ASSERT_TRUE(super);
  const Bytes last_first = segment_of(*super, packet.bytes(), 7);
  for (const std::uint32_t index : {3u, 0u, 7u, 3u}) {
    Bytes room(super->headers() + 8, 0xee);
    super->write_headers(index, room.data());
    EXPECT_EQ(Bytes(room.end() - 8, room.end()), Bytes(8, 0xee));
  }
  EXPECT_EQ(segment_of(*super, packet.bytes(), 7), last_first);
}

// Of one segment's worth: a host may hand over a super-packet that is none.
TEST(SuperPacket, MayBeOneSegment) {
  PacketSpec spec{.flags = tcp::kAck | tcp::kFin | tcp::kCwr, .payload = Bytes(100, 3)};
  spec.checksum = Checksum::kPartial;
  Marked packet(spec, 1000);
  const auto super = packet.super();
  ASSERT_TRUE(super);
  ASSERT_EQ(super->count(), 1u);
  EXPECT_EQ(super->payload(0), 100u);
  EXPECT_EQ(super->payload_start(0), 40u);
}

struct Case {
  const char* description;
  std::function<void(PacketSpec&)> spec = [](PacketSpec&) {};
  std::function<void(Marked&)> change = [](Marked&) {};
  std::size_t segment_size = 1000;
};

PacketSpec good(bool is_tcp, bool six) {
  PacketSpec spec{.is_tcp = is_tcp, .payload = Bytes(3000, 1), .checksum = Checksum::kPartial};
  if (six) {
    spec.from = ip("fd00::1");
    spec.to = ip("fd00::2");
  }
  return spec;
}

std::optional<SuperPacket> judge(const Case& each, bool is_tcp, bool six) {
  PacketSpec spec = good(is_tcp, six);
  each.spec(spec);
  Marked packet(spec, each.segment_size);
  each.change(packet);
  return packet.super();
}

TEST(SuperPacket, IsNothingThatItsMarksDoNotFit) {
  const auto with_flag = [](std::uint8_t flag) {
    return [flag](PacketSpec& spec) { spec.flags |= flag; };
  };
  const auto change = [](auto what) { return [what](Marked& packet) { what(packet); }; };
  const auto nothing = [](PacketSpec&) {};

  const Case any[] = {
      {"segment size 0", nothing, change([](Marked& it) { it.mbuf().tso_segsz = 0; })},
      {"too many segments",
       [](PacketSpec& it) { it.payload.resize(SuperPacket::kMaxSegments + 1); },
       change([](Marked&) {}), 1},
      {"no payload", [](PacketSpec& it) { it.payload.clear(); }},
      {"a transport header inside the IP header", nothing,
       change([](Marked& it) { it.mbuf().l3_len = 16; })},
      {"no transport header", nothing, change([](Marked& it) { it.mbuf().l4_len = 0; })},
      {"a short transport header", nothing,
       change([](Marked& it) { it.mbuf().l4_len = (it.mbuf().l4_len - 4u) & 0xff; })},
      {"a long transport header", nothing,
       change([](Marked& it) { it.mbuf().l4_len = (it.mbuf().l4_len + 4u) & 0xff; })},
      {"headers longer than any", nothing, change([](Marked& it) { it.mbuf().l3_len = 150; })},
      {"headers longer than the packet", [](PacketSpec& it) { it.payload.resize(4); },
       change([](Marked& it) { it.mbuf().l3_len = (it.mbuf().l3_len + 20u) & 0x1ff; })},
      {"another protocol", nothing,
       change([](Marked& it) { it.bytes()[it.bytes()[0] >> 4 == 4 ? 9 : 6] = 50; })},
      {"something between the headers", nothing,
       change([](Marked& it) { it.mbuf().l3_len = (it.mbuf().l3_len + 4u) & 0x1ff; })},
      {"an extension header cut off by the transport's", [](PacketSpec& it) { it.payload[0] = 6; },
       change([](Marked& it) {
         if (it.bytes()[0] >> 4 == 6) it.bytes()[6] = 60;
         it.mbuf().l3_len = (it.mbuf().l3_len + 4u) & 0x1ff;
       })},
      {"the other transport's mark", nothing, change([](Marked& it) {
         it.mbuf().ol_flags ^= RTE_MBUF_F_TX_TCP_SEG ^ RTE_MBUF_F_TX_UDP_SEG;
       })},
  };
  const Case only_v4[] = {
      {"a first fragment", nothing, change([](Marked& it) { it.bytes()[6] = 0x20; })},
      {"a later fragment", nothing, change([](Marked& it) { it.bytes()[7] = 1; })},
  };
  const Case only_tcp[] = {
      {"SYN", with_flag(tcp::kSyn)},
      {"RST", with_flag(tcp::kRst)},
      {"URG", with_flag(tcp::kUrg)},
      {"a header that says it is longer", nothing,
       change([](Marked& it) { it.bytes()[it.mbuf().l3_len + 12u] = 0x60; })},
  };
  for (const bool six : {false, true}) {
    for (const bool is_tcp : {false, true}) {
      SCOPED_TRACE(testing::Message() << (is_tcp ? "TCP" : "UDP") << " over IPv" << (six ? 6 : 4));
      ASSERT_TRUE(judge({"the good one"}, is_tcp, six));
      for (const Case& each : any)
        EXPECT_FALSE(judge(each, is_tcp, six)) << each.description;
      for (const Case& each : only_v4)
        EXPECT_FALSE(!six && judge(each, is_tcp, six)) << each.description;
      for (const Case& each : only_tcp)
        EXPECT_FALSE(is_tcp && judge(each, is_tcp, six)) << each.description;
    }
  }
}

TEST(SuperPacket, MayHaveAsManySegmentsAsItsLimit) {
  PacketSpec spec = good(true, false);
  spec.payload.resize(SuperPacket::kMaxSegments);
  EXPECT_TRUE(Marked(spec, 1).super());
}

}  // namespace
}  // namespace ipop::engine
