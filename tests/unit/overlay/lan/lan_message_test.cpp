#include "overlay/lan/lan_message.hpp"

#include <gtest/gtest.h>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using Kind = LanMessage::Kind;

const NetworkKey& network() {
  static const NetworkKey key = NetworkKey::derive("lan test", "").value();
  return key;
}

const WallTime kNow = WallTime(1'700'000'000s);
const Identity kIdentity = Identity::generate();

LanMessage message(Kind kind) {
  LanMessage made{.kind = kind, .address = *IpAddress::parse("192.168.10.20"), .from = {}};
  made.from.credential =
      Credential::make(kIdentity, {Prefix::parse("192.168.10.10").value()}, {}, "alice", kNow);
  made.from.sequence = 7;
  made.from.expires = kNow + 10min;
  made.from.candidates = {{*Endpoint::parse("10.0.0.1:4545"), CandidateKind::kLan}};
  return made;
}

Result<LanMessage> open(ByteView datagram, const NetworkKey& key, WallTime now) {
  const auto unsealed = LanMessage::unseal(datagram, key);
  if (!unsealed) return std::unexpected(unsealed.error());
  return LanMessage::parse(*unsealed, key, now);
}

TEST(LanMessage, OpensToWhatWasSealed) {
  for (const Kind kind : {Kind::kHere, Kind::kWho, Kind::kWhoHolds}) {
    const auto opened = open(message(kind).seal(kIdentity, network()), network(), kNow);
    ASSERT_TRUE(opened) << opened.error().message;
    EXPECT_EQ(opened->kind, kind);
    EXPECT_EQ(opened->address, message(kind).address);
    EXPECT_EQ(opened->from.credential.encoded, message(kind).from.credential.encoded);
    EXPECT_EQ(opened->from.candidates, message(kind).from.candidates);
  }
}

TEST(LanMessage, FitsADatagramWhateverItsRecord) {
  LanMessage large = message(Kind::kWhoHolds);
  std::vector<Prefix> addresses;
  std::vector<Prefix> routes;
  for (int i = 1; i <= 16; ++i) {
    const std::string digit = std::to_string(i);
    if (i <= 8) addresses.push_back(Prefix::parse("fd00::" + digit).value());
    routes.push_back(Prefix::parse("fd00:" + digit + "::/64").value());
    large.from.candidates.push_back(
        {*Endpoint::parse("[2001:db8::" + digit + "]:1"), CandidateKind::kRouted});
  }
  large.from.relays.assign(3, {{9}, *Endpoint::parse("[2001:db8::9]:9")});
  large.from.credential =
      Credential::make(kIdentity, addresses, routes, std::string(63, 'h'), kNow);
  const auto sealed = large.seal(kIdentity, network());
  EXPECT_LE(sealed.size(), LanMessage::kMaxSize);
  EXPECT_TRUE(open(sealed, network(), kNow));
}

TEST(LanMessage, SaysNothingToOutsiders) {
  const auto sealed = message(Kind::kWhoHolds).seal(kIdentity, network());
  const std::string text(sealed.begin(), sealed.end());
  EXPECT_EQ(text.find("alice"), std::string::npos);
  const std::string address{'\xc0', '\xa8', '\x0a'};
  EXPECT_EQ(text.find(address), std::string::npos);
}

TEST(LanMessage, RefusesWhatIsDamagedOldOrOfOthers) {
  const auto sealed = message(Kind::kWho).seal(kIdentity, network());
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    auto damaged = sealed;
    damaged[at] ^= 0x10;
    EXPECT_FALSE(open(damaged, network(), kNow)) << at;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(open(ByteView(sealed).first(size), network(), kNow)) << size;
  auto longer = sealed;
  longer.push_back(0);
  EXPECT_FALSE(open(longer, network(), kNow));
  longer.resize(5000);
  EXPECT_FALSE(open(longer, network(), kNow));
  EXPECT_FALSE(open(sealed, network(), kNow + 11min));
  EXPECT_FALSE(open(sealed, NetworkKey::derive("lan test", "x").value(), kNow));
  EXPECT_FALSE(open(message(Kind{0}).seal(kIdentity, network()), network(), kNow));
  EXPECT_FALSE(open(message(Kind{4}).seal(kIdentity, network()), network(), kNow));
}

// A record from the directory is not one from the link, though the same keys seal both.
TEST(LanMessage, IsNoRecordAndNoRecordIsIt) {
  const LanMessage made = message(Kind::kHere);
  const auto sealed = made.seal(kIdentity, network());
  const DirectoryKey at = network().node_key(kIdentity.node_id());
  EXPECT_FALSE(NodeRecord::open(ByteView(sealed).subspan(4), network(), at, kNow));
  auto record = made.from.seal(kIdentity, network(), at);
  record.insert(record.begin(), {6, 0, 0, 0});
  EXPECT_FALSE(open(record, network(), kNow));
}

}  // namespace
}  // namespace ipop::overlay
