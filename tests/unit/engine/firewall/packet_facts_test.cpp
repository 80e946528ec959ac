#include "engine/firewall/packet_facts.hpp"

#include <random>

#include "tests/unit/engine/firewall/packets_between.hpp"

namespace ipop::engine::firewall {
namespace {

using Part = PacketFacts::Part;
using IcmpKind = PacketFacts::IcmpKind;

const IpAddress kRemote6 = ip("fd00::2");
const IpAddress kLocal6 = ip("fd00::1");

Bytes options(std::size_t units = 1) {
  Bytes bytes(units * 8);
  bytes[1] = static_cast<std::uint8_t>(units - 1);
  return bytes;
}

std::optional<PacketFacts> facts_of(const Bytes& packet, Direction direction) {
  // Exactly as large as the packet: a sanitizer sees what is read beyond it.
  const Bytes copy(packet);
  PacketFacts facts;
  if (!read_facts(copy, direction, facts)) return std::nullopt;
  return facts;
}

TEST(PacketFacts, SeesTheSameEndsFromBothDirections) {
  for (const Direction direction : {Direction::kIn, Direction::kOut}) {
    for (const bool v4 : {true, false}) {
      Between packet{.direction = direction};
      if (!v4) packet.remote = kRemote6, packet.local = kLocal6;
      const auto facts = facts_of(made(packet), direction);
      ASSERT_TRUE(facts);
      EXPECT_EQ(facts->remote, packet.remote);
      EXPECT_EQ(facts->local, packet.local);
      EXPECT_EQ(facts->remote_port, 40000);
      EXPECT_EQ(facts->local_port, 22);
      EXPECT_EQ(facts->protocol, kTcp);
      EXPECT_EQ(facts->tcp_flags, tcp_flag::kAck);
      EXPECT_TRUE(facts->has_ports);
      EXPECT_TRUE(facts->is_plain);
      EXPECT_EQ(facts->part, Part::kWhole);
    }
  }
}

TEST(PacketFacts, FindsTheTransportBehindWhatStandsBeforeIt) {
  const struct {
    const char* description;
    std::vector<Between::Extension> extensions;
    Part part = Part::kWhole;
  } cases[] = {
      {"hop-by-hop", {{0, options()}}},
      {"routing", {{43, options(3)}}},
      {"destination options", {{60, options(2)}}},
      {"all of them", {{0, options()}, {60, options()}, {43, options()}, {60, options()}}},
      {"a fragment that is whole", {fragment6(0, false)}},
      {"the first fragment", {fragment6(0, true)}, Part::kFirst},
      {"options behind the first fragment's header",
       {fragment6(0, true), {60, options()}},
       Part::kFirst},
  };
  for (const auto& test : cases) {
    Between packet{.remote = kRemote6, .local = kLocal6, .extensions = test.extensions};
    const auto facts = facts_of(made(packet), Direction::kIn);
    ASSERT_TRUE(facts) << test.description;
    EXPECT_EQ(facts->protocol, kTcp) << test.description;
    EXPECT_EQ(facts->local_port, 22) << test.description;
    EXPECT_EQ(facts->part, test.part) << test.description;
    EXPECT_FALSE(facts->is_plain) << test.description;
  }
  const auto facts = facts_of(made({.ip_options = 8}), Direction::kIn);
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->local_port, 22);
  EXPECT_FALSE(facts->is_plain);
}

TEST(PacketFacts, RefusesWhatAHostMightReadOtherwise) {
  const Between six{.remote = kRemote6, .local = kLocal6};
  const auto with = [&](std::vector<Between::Extension> extensions, std::size_t cut = 0) {
    Between packet = six;
    packet.extensions = std::move(extensions);
    packet.cut = cut;
    return packet;
  };
  const struct {
    const char* description;
    Between packet;
  } cases[] = {
      {"TCP of 19 bytes", {.payload = 0, .cut = 1}},
      {"UDP of 7 bytes", {.protocol = kUdp, .payload = 0, .cut = 1}},
      {"SCTP of 11 bytes", {.protocol = kSctp, .payload = 0, .cut = 1}},
      {"ICMP of 7 bytes", {.protocol = kIcmp, .payload = 0, .cut = 1}},
      {"a first fragment without all of TCP's header",
       {.more_fragments = true, .payload = 0, .cut = 4}},
      {"a fragment over TCP's ports", {.fragment_offset = 1, .payload = 40}},
      {"a fragment over TCP's flags", {.fragment_offset = 2, .payload = 40}},
      {"options that are cut off", with({{0, options()}}, 25)},
      {"options longer than the packet", with({{60, Bytes{0, 200, 0, 0, 0, 0, 0, 0}}})},
      {"a fragment within a fragment", with({fragment6(0, true), fragment6(0, true, 3)})},
      {"nine extension headers",
       with(std::vector<Between::Extension>(9, Between::Extension{60, options()}))},
      {"IPv6: a first fragment without ports", with({fragment6(0, true)}, 22)},
  };
  for (const auto& test : cases) {
    EXPECT_FALSE(facts_of(made(test.packet), Direction::kIn)) << test.description;
  }
  EXPECT_FALSE(facts_of({}, Direction::kIn));
  EXPECT_TRUE(
      facts_of(made(with(std::vector<Between::Extension>(8, {60, options()}))), Direction::kIn));
}

TEST(PacketFacts, KnowsFragmentsThatHaveNoHeader) {
  const struct {
    const char* description;
    Between packet;
    std::uint8_t protocol;
  } cases[] = {
      {"IPv4, the last", {.fragment_offset = 3, .payload = 60}, kTcp},
      {"IPv4, one of the middle",
       {.protocol = kUdp, .fragment_offset = 1, .more_fragments = true, .payload = 60},
       kUdp},
      {"IPv6",
       {.remote = kRemote6, .local = kLocal6, .extensions = {fragment6(5, false)}, .payload = 60},
       kTcp},
  };
  for (const auto& test : cases) {
    const auto facts = facts_of(made(test.packet), Direction::kIn);
    ASSERT_TRUE(facts) << test.description;
    EXPECT_EQ(facts->part, Part::kLater) << test.description;
    EXPECT_EQ(facts->protocol, test.protocol) << test.description;
    EXPECT_EQ(facts->fragment_id, 99u) << test.description;
    EXPECT_FALSE(facts->has_ports) << test.description;
  }
}

TEST(PacketFacts, TellsWhatAnIcmpMessageIs) {
  const struct {
    std::uint8_t type;
    IcmpKind kind4;
    IcmpKind kind6;
  } cases[] = {{0, IcmpKind::kReply, IcmpKind::kOther},   {8, IcmpKind::kQuery, IcmpKind::kOther},
               {3, IcmpKind::kError, IcmpKind::kError},   {5, IcmpKind::kOther, IcmpKind::kOther},
               {13, IcmpKind::kQuery, IcmpKind::kOther},  {14, IcmpKind::kReply, IcmpKind::kOther},
               {11, IcmpKind::kError, IcmpKind::kOther},  {1, IcmpKind::kOther, IcmpKind::kError},
               {128, IcmpKind::kOther, IcmpKind::kQuery}, {129, IcmpKind::kOther, IcmpKind::kReply},
               {135, IcmpKind::kOther, IcmpKind::kOther}};
  for (const auto& test : cases) {
    Between packet{.protocol = kIcmp, .icmp_type = test.type};
    auto facts = facts_of(made(packet), Direction::kOut);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->icmp, test.kind4) << int{test.type};
    EXPECT_EQ(facts->icmp_type, test.type);
    packet.protocol = kIcmpv6;
    packet.remote = kRemote6;
    packet.local = kLocal6;
    facts = facts_of(made(packet), Direction::kOut);
    ASSERT_TRUE(facts);
    EXPECT_EQ(facts->icmp, test.kind6) << int{test.type};
  }
}

TEST(PacketFacts, ReadsNothingBeyondThePacketWhateverItSays) {
  std::mt19937_64 random(1);
  unsigned understood = 0;
  for (int i = 0; i < 200'000; ++i) {
    Between packet{.protocol = static_cast<std::uint8_t>(random() % 2 == 0 ? kTcp : random())};
    if (random() % 2 == 0) {
      packet.remote = kRemote6;
      packet.local = kLocal6;
      for (std::uint64_t n = random() % 4; n != 0; --n)
        packet.extensions.push_back(
            {static_cast<std::uint8_t>(random() % 2 == 0 ? 60 : 44), options()});
    }
    Bytes bytes = made(packet);
    for (std::uint64_t n = random() % 4; n != 0; --n)
      bytes[1 + random() % (bytes.size() - 1)] = static_cast<std::uint8_t>(random());
    bytes.resize(random() % (bytes.size() + 1));
    const auto facts = facts_of(bytes, Direction::kIn);
    if (!facts) continue;
    ++understood;
    if (facts->icmp == IcmpKind::kError)
      static_cast<void>(read_quote(bytes, *facts, Direction::kIn));
  }
  EXPECT_GT(understood, 10'000u);
}

}  // namespace
}  // namespace ipop::engine::firewall
