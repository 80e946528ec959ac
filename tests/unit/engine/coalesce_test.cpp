// What becomes one frame for the host, and what must not.
#include "engine/path/coalesce.hpp"

#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <functional>
#include <map>

#include "tests/unit/engine/merging.hpp"

namespace ipop::engine {
namespace {

using Counts = std::vector<std::size_t>;

struct Family {
  const char* name;
  bool is_tcp;
  bool six;
};
constexpr Family kTcp4{"TCP over IPv4", true, false};
constexpr Family kTcp6{"TCP over IPv6", true, true};
constexpr Family kUdp4{"UDP over IPv4", false, false};
constexpr Family kUdp6{"UDP over IPv6", false, true};
constexpr Family kFamilies[] = {kTcp4, kTcp6, kUdp4, kUdp6};

// The packets of one flow, one behind another.
class Stream {
 public:
  explicit Stream(const Family& family, std::uint16_t port = 4000) {
    next_.is_tcp = family.is_tcp;
    next_.from_port = port;
    next_.never_cut = false;
    if (!family.six) return;
    next_.from = ip("fd00::1");
    next_.to = ip("fd00::2");
  }
  PacketSpec packet(std::size_t size) {
    PacketSpec made = next_;
    made.payload.assign(size, static_cast<std::uint8_t>(next_.id));
    next_.sequence += static_cast<std::uint32_t>(size);
    ++next_.id;
    return made;
  }

 private:
  PacketSpec next_;
};

Arrival arrival(const PacketSpec& spec) {
  return {build(spec), spec.checksum == Checksum::kPartial};
}

Counts merge(const std::vector<Arrival>& arrivals,
             HostOffloads offloads = {.tcp = true, .udp = true}) {
  Merging merging(offloads);
  for (const Arrival& each : arrivals)
    merging.add(each);
  merging.finish_turn();
  EXPECT_EQ(merging.complaint(), "");
  return merging.counts();
}

// A change to one of two packets, each of 100 bytes, that would be merged without it.
struct PairCase {
  const char* description;
  std::function<void(PacketSpec& first, PacketSpec& second)> change;
};

Counts merge_pair(const PairCase& each, const Family& family) {
  Stream stream(family);
  PacketSpec first = stream.packet(100);
  PacketSpec second = stream.packet(100);
  each.change(first, second);
  return merge({arrival(first), arrival(second)});
}

void expect_pairs(std::span<const PairCase> cases, std::span<const Family> families,
                  const Counts& expected) {
  for (const Family& family : families) {
    for (const PairCase& each : cases)
      EXPECT_EQ(merge_pair(each, family), expected) << family.name << ", " << each.description;
  }
}

const Counts kMerged = {2};
const Counts kApart = {1, 1};

TEST(Coalescer, MergesWhatCouldBeToldApartAgain) {
  const PairCase any[] = {
      {"alike", [](auto&, auto&) {}},
      {"the second partial", [](auto&, auto& it) { it.checksum = Checksum::kPartial; }},
      {"the first partial", [](auto& it, auto&) { it.checksum = Checksum::kPartial; }},
      {"both partial", [](auto& a, auto& b) { a.checksum = b.checksum = Checksum::kPartial; }},
      {"a shorter one", [](auto&, auto& it) { it.payload.resize(1); }},
      {"a traffic class", [](auto& a, auto& b) { a.traffic_class = b.traffic_class = 0xb9; }},
  };
  const PairCase tcp_only[] = {
      {"PSH at the end", [](auto&, auto& it) { it.flags |= tcp::kPsh; }},
      {"FIN at the end", [](auto&, auto& it) { it.flags |= tcp::kFin | tcp::kPsh; }},
      {"ECE all the time", [](auto& a, auto& b) { a.flags = b.flags = tcp::kAck | tcp::kEce; }},
      {"the same options", [](auto& a, auto& b) { a.tcp_options = b.tcp_options = Bytes(12, 1); }},
      {"a sequence that wraps",
       [](auto& a, auto& b) {
         a.sequence = 0xffffffff - 49;
         b.sequence = 50;
       }},
  };
  const PairCase v4_only[] = {
      {"ids that wrap",
       [](auto& a, auto& b) {
         a.id = 0xffff;
         b.id = 0;
       }},
      {"ids that mean nothing",
       [](auto& a, auto& b) {
         a.never_cut = b.never_cut = true;
         b.id = 0x1234;
       }},
  };
  expect_pairs(any, kFamilies, kMerged);
  expect_pairs(tcp_only, std::array{kTcp4, kTcp6}, kMerged);
  expect_pairs(v4_only, std::array{kTcp4, kUdp4}, kMerged);
}

TEST(Coalescer, LeavesApartWhatDiffers) {
  const PairCase any[] = {
      {"the other's port", [](auto&, auto& it) { ++it.from_port; }},
      {"our port", [](auto&, auto& it) { ++it.to_port; }},
      {"its source",
       [](auto&, auto& it) { it.from = ip(it.from.is_v4() ? "10.0.0.3" : "fd00::3"); }},
      {"its destination",
       [](auto&, auto& it) { it.to = ip(it.to.is_v4() ? "10.0.0.3" : "fd00::3"); }},
      {"the traffic class", [](auto&, auto& it) { it.traffic_class = 0x20; }},
      {"congestion experienced", [](auto&, auto& it) { it.traffic_class = 3; }},
      {"the hop limit", [](auto&, auto& it) { --it.hop_limit; }},
      {"longer", [](auto&, auto& it) { it.payload.push_back(0); }},
      {"no payload", [](auto&, auto& it) { it.payload.clear(); }},
      {"no payload at first", [](auto& it, auto&) { it.payload.clear(); }},
      {"a wrong checksum", [](auto&, auto& it) { it.checksum = Checksum::kWrong; }},
      {"a wrong checksum at first", [](auto& it, auto&) { it.checksum = Checksum::kWrong; }},
      {"a wrong checksum after a partial one",
       [](auto& a, auto& b) {
         a.checksum = Checksum::kPartial;
         b.checksum = Checksum::kWrong;
       }},
      {"a wrong checksum before a partial one",
       [](auto& a, auto& b) {
         a.checksum = Checksum::kWrong;
         b.checksum = Checksum::kPartial;
       }},
      {"IP options, or an extension header",
       [](auto&, auto& it) { it.ip_options = {1, 1, 1, 1, 1, 1, 1, 1}; }},
      {"the same IP options",
       [](auto& a, auto& b) { a.ip_options = b.ip_options = {1, 1, 1, 1, 1, 1, 1, 1}; }},
  };
  const PairCase tcp_only[] = {
      {"a gap", [](auto&, auto& it) { ++it.sequence; }},
      {"an overlap", [](auto&, auto& it) { --it.sequence; }},
      {"a duplicate", [](auto& a, auto& b) { b.sequence = a.sequence; }},
      {"the acknowledgement", [](auto&, auto& it) { ++it.acknowledged; }},
      {"the window", [](auto&, auto& it) { ++it.window; }},
      {"the urgent pointer", [](auto&, auto& it) { ++it.urgent; }},
      {"the options",
       [](auto& a, auto& b) {
         a.tcp_options = Bytes(12, 1);
         b.tcp_options = Bytes(12, 2);
       }},
      {"the options' length", [](auto&, auto& it) { it.tcp_options = Bytes(4, 1); }},
      {"PSH at first", [](auto& it, auto&) { it.flags |= tcp::kPsh; }},
      {"FIN at first", [](auto& it, auto&) { it.flags |= tcp::kFin; }},
      {"ECE", [](auto&, auto& it) { it.flags |= tcp::kEce; }},
      {"ECE at first", [](auto& it, auto&) { it.flags |= tcp::kEce; }},
      {"CWR", [](auto&, auto& it) { it.flags |= tcp::kCwr; }},
      {"CWR at first", [](auto& it, auto&) { it.flags |= tcp::kCwr; }},
      {"CWR all the time", [](auto& a, auto& b) { a.flags = b.flags = tcp::kAck | tcp::kCwr; }},
      {"no ACK", [](auto& a, auto& b) { a.flags = b.flags = 0; }},
      {"SYN", [](auto& a, auto& b) { a.flags = b.flags = tcp::kAck | tcp::kSyn; }},
      {"RST", [](auto& a, auto& b) { a.flags = b.flags = tcp::kAck | tcp::kRst; }},
      {"URG", [](auto& a, auto& b) { a.flags = b.flags = tcp::kAck | tcp::kUrg; }},
      {"RST at the end", [](auto&, auto& it) { it.flags |= tcp::kRst; }},
  };
  const PairCase udp_only[] = {
      {"no checksum", [](auto&, auto& it) { it.checksum = Checksum::kNone; }},
      {"no checksum at first", [](auto& it, auto&) { it.checksum = Checksum::kNone; }},
      {"no checksums", [](auto& a, auto& b) { a.checksum = b.checksum = Checksum::kNone; }},
  };
  const PairCase v4_only[] = {
      {"never cut", [](auto&, auto& it) { it.never_cut = true; }},
      {"may be cut", [](auto& it, auto&) { it.never_cut = true; }},
      {"a gap of ids", [](auto&, auto& it) { ++it.id; }},
      {"the same id", [](auto&, auto& it) { --it.id; }},
  };
  const PairCase v6_only[] = {{"the flow label", [](auto&, auto& it) { it.flow_label = 1; }}};
  expect_pairs(any, kFamilies, kApart);
  expect_pairs(tcp_only, std::array{kTcp4, kTcp6}, kApart);
  expect_pairs(udp_only, std::array{kUdp4, kUdp6}, kApart);
  expect_pairs(v4_only, std::array{kTcp4, kUdp4}, kApart);
  expect_pairs(v6_only, std::array{kTcp6, kUdp6}, kApart);
}

TEST(Coalescer, NeverHidesAWrongIpv4HeaderChecksum) {
  for (const Family& family : {kTcp4, kUdp4}) {
    for (const Checksum checksum : {Checksum::kWhole, Checksum::kPartial}) {
      for (const std::size_t damaged : {0u, 1u}) {
        Stream stream(family);
        std::vector<Arrival> arrivals;
        for (int i = 0; i < 2; ++i) {
          PacketSpec spec = stream.packet(100);
          spec.checksum = checksum;
          arrivals.push_back(arrival(spec));
        }
        arrivals[damaged].packet[10] ^= 1;
        EXPECT_EQ(merge(arrivals), kApart) << family.name << ", " << damaged;
      }
    }
  }
}

TEST(Coalescer, ServesAHostThatTakesNoSuperPackets) {
  for (const Family& family : kFamilies) {
    Stream stream(family);
    const std::vector<Arrival> both{arrival(stream.packet(100)), arrival(stream.packet(100))};
    EXPECT_EQ(merge(both, {}), kApart) << family.name;
    EXPECT_EQ(merge(both, {.tcp = true}), family.is_tcp ? kMerged : kApart) << family.name;
    EXPECT_EQ(merge(both, {.udp = true}), family.is_tcp ? kApart : kMerged) << family.name;
  }
}

// Sizes of the payloads of one stream, and what becomes of them.
TEST(Coalescer, EndsAFrameWhereItMust) {
  struct Case {
    const char* description;
    Family family;
    std::vector<std::size_t> sizes;
    Counts expected;
  };
  const auto times = [](std::size_t count, std::size_t size) {
    return std::vector<std::size_t>(count, size);
  };
  const Case cases[] = {
      {"after a shorter one", kTcp4, {100, 100, 50, 100, 100}, {3, 2}},
      {"after a shorter one, though the next is as short", kTcp6, {100, 50, 50}, {2, 1}},
      {"before a longer one", kTcp4, {100, 100, 101, 101}, {2, 2}},
      {"after 64 packets", kTcp4, times(130, 100), {64, 64, 2}},
      {"after 64 datagrams", kUdp6, times(65, 1), {64, 1}},
      {"before 65,536 bytes", kTcp4, times(6, 13099), {5, 1}},
      {"before 65,537 bytes", kTcp6, times(5, 13096), {4, 1}},
      {"at 65,535 bytes", kUdp4, times(3, (65535 - 28) / 3 + 1), {2, 1}},
      {"at 65,535 bytes of IPv6", kUdp6, {21829, 21829, 21829}, {3}},
  };
  for (const Case& each : cases) {
    Stream stream(each.family);
    std::vector<Arrival> arrivals;
    for (const std::size_t size : each.sizes)
      arrivals.push_back(arrival(stream.packet(size)));
    EXPECT_EQ(merge(arrivals), each.expected) << each.family.name << ", " << each.description;
  }
}

// Packets of several flows, by name: A to I are TCP streams, and each letter is the next
// packet of one; small letters are described below.
Counts merge_story(const char* story) {
  std::map<char, Stream> streams;
  std::vector<Arrival> arrivals;
  for (const char* at = story; *at != 0; ++at) {
    if (*at >= 'A' && *at <= 'Z') {
      auto& stream = streams.try_emplace(*at, kTcp4, static_cast<std::uint16_t>(*at)).first->second;
      arrivals.push_back(arrival(stream.packet(100)));
      continue;
    }
    PacketSpec spec = Stream(kTcp4, 'A').packet(100);
    switch (*at) {
      case 'l':  // A's next is lost
        (void)streams.at('A').packet(100);
        continue;
      case 'o':  // the same with IP options
        spec.ip_options = {1, 1, 1, 1};
        [[fallthrough]];
      case 'a':  // A's sender acknowledges
        spec.payload.clear();
        break;
      case 'f':
      case 'i':
        break;
      default:
        ADD_FAILURE() << *at;
    }
    arrivals.push_back(arrival(spec));
    Bytes& packet = arrivals.back().packet;
    if (*at == 'f') packet[6] |= 0x20;  // a first fragment
    if (*at == 'i') packet[9] = 1;      // ICMP
  }
  return merge(arrivals);
}

TEST(Coalescer, KeepsTheOrderOfEachFlow) {
  struct Case {
    const char* description;
    const char* story;
    Counts expected;
  };
  const Case cases[] = {
      {"two flows in turns", "ABABAB", {3, 3}},
      {"frames in the order of their first packets", "BAAB", {2, 2}},
      {"a loss", "AAlAA", {2, 2}},
      {"an acknowledgement without data", "AAaAA", {2, 1, 2}},
      {"an acknowledgement with IP options", "AAoAA", {2, 1, 2}},
      {"a fragment, which may belong to any", "ABfAB", {1, 1, 1, 1, 1}},
      {"ICMP, which belongs to none", "ABiAB", {2, 2, 1}},
      {"eight flows", "ABCDEFGHABCDEFGH", {2, 2, 2, 2, 2, 2, 2, 2}},
      {"a ninth, for which the oldest is given up", "ABCDEFGHIBA", {1, 2, 1, 1, 1, 1, 1, 1, 1, 1}},
  };
  for (const Case& each : cases)
    EXPECT_EQ(merge_story(each.story), each.expected) << each.description;
}

TEST(Coalescer, LeavesLatePacketsApart) {
  Stream stream(kTcp6);
  std::vector<Arrival> sent;
  for (int i = 0; i < 6; ++i)
    sent.push_back(arrival(stream.packet(100)));
  EXPECT_EQ(merge({sent[0], sent[2], sent[1], sent[3], sent[4], sent[4], sent[5]}),
            (Counts{1, 1, 1, 2, 2}));
}

TEST(Coalescer, IsFullAtItsLimitsAndEmptyAfterwards) {
  Coalescer coalescer({.tcp = true, .udp = true});
  EXPECT_TRUE(coalescer.empty());
  std::deque<Bytes> buffers;
  const auto add = [&](const PacketSpec& spec) {
    Bytes& packet = buffers.emplace_back(build(spec));
    packet.insert(packet.begin(), 14, 0);
    const auto inner = parse_inner(ByteView(packet).subspan(14));
    ASSERT_TRUE(inner);
    const Transport transport = parse_transport(ByteView(packet).subspan(14), *inner);
    ASSERT_TRUE(transport);
    coalescer.add(packet.data() + 14, *inner, transport, false);
  };
  for (std::uint16_t i = 0; i < Coalescer::kFrames; ++i) {
    EXPECT_FALSE(coalescer.full());
    add(Stream(kUdp4, i).packet(10));
  }
  EXPECT_TRUE(coalescer.full());
  EXPECT_EQ(coalescer.finish().size(), std::size_t{Coalescer::kFrames});
  coalescer.clear();
  EXPECT_TRUE(coalescer.empty());
  // What was open is not any more: these buffers are gone.
  Stream stream(kUdp4);
  std::size_t added = 0;
  for (; !coalescer.full(); ++added)
    add(stream.packet(10));
  EXPECT_EQ(added, Coalescer::kPieces + added / Coalescer::kPerFrame + 1u);
  EXPECT_EQ(coalescer.finish().size(), 5u);
}

}  // namespace
}  // namespace ipop::engine
