#include "overlay/directory/node_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "overlay/directory/sealed_box.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

const NetworkKey& network() {
  static const NetworkKey key = NetworkKey::derive("record test", "").value();
  return key;
}
const NetworkKey& other_network() {
  static const NetworkKey key = NetworkKey::derive("record test", "secret").value();
  return key;
}

const WallTime kNow = WallTime(1'700'000'000s);

Candidate candidate(std::string_view endpoint, CandidateKind kind) {
  return {Endpoint::parse(endpoint).value(), kind};
}

NodeRecord record_of(const Identity& identity) {
  return {.credential =
              Credential::make(identity, {Prefix::parse("192.168.10.10").value()}, {}, "a", kNow),
          .sequence = 7,
          .expires = kNow + 10min,
          .nat = NatMapping::kEndpointDependent,
          .relays = {{.key = {1, 2, 3}, .endpoint = Endpoint::parse("192.0.2.7:4545").value()},
                     {.key = {4}, .endpoint = Endpoint::parse("[2001:db8::7]:1").value()}},
          .candidates = {candidate("10.0.0.1:4545", CandidateKind::kLan),
                         candidate("[2001:db8::1]:4545", CandidateKind::kRouted),
                         candidate("192.0.2.1:70", CandidateKind::kMapped)}};
}

NodeRecord largest_of(const Identity& identity) {
  std::vector<Prefix> addresses;
  std::vector<Prefix> routes;
  NodeRecord record = record_of(identity);
  for (unsigned i = 0; i < 16; ++i) {
    const std::string digit = std::to_string(i + 1);
    if (i < 8) addresses.push_back(Prefix::parse("fd00::" + digit).value());
    routes.push_back(Prefix::parse("fd00:" + digit + "::/64").value());
    record.candidates.push_back(candidate("[2001:db8::" + digit + "]:1", CandidateKind::kRouted));
  }
  record.relays.assign(5, {{9}, Endpoint::parse("[2001:db8::9]:9").value()});
  record.credential = Credential::make(identity, addresses, routes, std::string(63, 'h'), kNow);
  return record;
}

const DirectoryKey kAt{{1, 2, 3}};

TEST(NodeRecord, OpensToWhatWasSealed) {
  const Identity identity = Identity::generate();
  const NodeRecord record = record_of(identity);
  const auto opened = NodeRecord::open(record.seal(identity, network(), kAt), network(), kAt, kNow);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->credential.encoded, record.credential.encoded);
  EXPECT_EQ(opened->nat, record.nat);
  EXPECT_EQ(opened->relays, record.relays);
  EXPECT_EQ(opened->sequence, 7u);
  EXPECT_EQ(opened->expires, record.expires);
  EXPECT_EQ(opened->candidates, record.candidates);
}

TEST(NodeRecord, OpensOnlyInItsNetworkAndPlace) {
  const Identity identity = Identity::generate();
  const DirectoryValue value = record_of(identity).seal(identity, network(), kAt);
  EXPECT_FALSE(NodeRecord::open(value, other_network(), kAt, kNow));
  EXPECT_FALSE(NodeRecord::open(value, network(), DirectoryKey{{1, 2, 4}}, kNow));
}

TEST(NodeRecord, NeverOpensWithOneBitDamaged) {
  const Identity identity = Identity::generate();
  DirectoryValue value = record_of(identity).seal(identity, network(), kAt);
  for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
    value[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(NodeRecord::open(value, network(), kAt, kNow)) << "bit " << bit;
    value[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  }
  for (std::size_t size = 0; size < value.size(); ++size) {
    EXPECT_FALSE(NodeRecord::open(ByteView(value).first(size), network(), kAt, kNow)) << size;
  }
}

// A member of the network can seal, but not sign for others.
TEST(NodeRecord, OfAnotherSignerDoesNotOpen) {
  const Identity alice = Identity::generate();
  const Identity mallory = Identity::generate();
  const auto opened =
      NodeRecord::open(record_of(alice).seal(mallory, network(), kAt), network(), kAt, kNow);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("signature is wrong"));
}

TEST(NodeRecord, ResealedForAnotherPlaceDoesNotOpen) {
  const Identity identity = Identity::generate();
  const DirectoryKey elsewhere{{9}};
  const auto plaintext = open_box(network().record_seal(), "ipop node record v1", kAt,
                                  record_of(identity).seal(identity, network(), kAt));
  ASSERT_TRUE(plaintext);
  const DirectoryValue moved =
      seal_box(network().record_seal(), "ipop node record v1", elsewhere, *plaintext);
  const auto opened = NodeRecord::open(moved, network(), elsewhere, kNow);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("signature is wrong"));
}

TEST(NodeRecord, ExpiresWhenItSays) {
  const Identity identity = Identity::generate();
  const DirectoryValue value = record_of(identity).seal(identity, network(), kAt);
  EXPECT_TRUE(NodeRecord::open(value, network(), kAt, kNow + 10min - 1ns));
  const auto expired = NodeRecord::open(value, network(), kAt, kNow + 10min);
  ASSERT_FALSE(expired);
  EXPECT_THAT(expired.error().message, HasSubstr("expired"));
}

TEST(NodeRecord, FitsIn1000BytesAndKeepsTheFirstCandidates) {
  const Identity identity = Identity::generate();
  const NodeRecord record = largest_of(identity);
  const DirectoryValue value = record.seal(identity, network(), kAt);
  EXPECT_LE(value.size(), 1000u);
  const auto opened = NodeRecord::open(value, network(), kAt, kNow);
  ASSERT_TRUE(opened) << opened.error().message;
  ASSERT_GE(opened->candidates.size(), 6u);
  EXPECT_EQ(opened->relays.size(), NodeRecord::kMaxRelays);
  EXPECT_TRUE(
      std::equal(opened->candidates.begin(), opened->candidates.end(), record.candidates.begin()));
}

TEST(NodeRecord, NamesAnEndpointOnlyOnce) {
  const Identity identity = Identity::generate();
  NodeRecord record = record_of(identity);
  record.candidates.push_back(record.candidates[0]);
  record.candidates.back().kind = CandidateKind::kMapped;
  const auto opened = NodeRecord::open(record.seal(identity, network(), kAt), network(), kAt, kNow);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->candidates, record_of(identity).candidates);
}

TEST(NodeRecord, TellsAnOutsiderNothing) {
  const Identity identity = Identity::generate();
  const NodeRecord record = record_of(identity);
  const DirectoryValue one = record.seal(identity, network(), kAt);
  const DirectoryValue two = record.seal(identity, network(), kAt);
  EXPECT_NE(one, two);
  const auto& key = identity.signing_key();
  EXPECT_EQ(std::search(one.begin(), one.end(), key.begin(), key.end()), one.end());
}

TEST(Rendezvous, OpensToWhatWasSealed) {
  const Identity alice = Identity::generate();
  const Identity bob = Identity::generate();
  const Rendezvous rendezvous{.from = record_of(alice), .sent = kNow};
  const DirectoryValue value = rendezvous.seal(alice, network(), bob.node_id());
  const auto opened = Rendezvous::open(value, network(), bob.node_id(), kNow);
  ASSERT_TRUE(opened) << opened.error().message;
  EXPECT_EQ(opened->sent, kNow);
  EXPECT_EQ(opened->from.candidates, rendezvous.from.candidates);
  EXPECT_EQ(opened->from.credential.node_id(), alice.node_id());
  EXPECT_FALSE(Rendezvous::open(value, network(), alice.node_id(), kNow));
  EXPECT_FALSE(Rendezvous::open(value, other_network(), bob.node_id(), kNow));
}

TEST(Rendezvous, IsNotARecordNorTheOtherWayRound) {
  const Identity alice = Identity::generate();
  const DirectoryKey inbox = network().inbox_key(alice.node_id());
  const Rendezvous rendezvous{.from = record_of(alice), .sent = kNow};
  EXPECT_FALSE(
      NodeRecord::open(rendezvous.seal(alice, network(), alice.node_id()), network(), inbox, kNow));
  EXPECT_FALSE(Rendezvous::open(record_of(alice).seal(alice, network(), inbox), network(),
                                alice.node_id(), kNow));
}

TEST(Rendezvous, CountsForTwoMinutesBothWays) {
  const Identity alice = Identity::generate();
  const Rendezvous rendezvous{.from = record_of(alice), .sent = kNow};
  const DirectoryValue value = rendezvous.seal(alice, network(), alice.node_id());
  const auto open = [&](WallTime now) {
    return Rendezvous::open(value, network(), alice.node_id(), now).has_value();
  };
  EXPECT_TRUE(open(kNow + 2min));
  EXPECT_FALSE(open(kNow + 2min + 1ns));
  EXPECT_TRUE(open(kNow - 2min));
  EXPECT_FALSE(open(kNow - 2min - 1ns));
}

TEST(Rendezvous, OfTheLargestKindFitsIn1000Bytes) {
  const Identity alice = Identity::generate();
  const Rendezvous rendezvous{.from = largest_of(alice), .sent = kNow};
  const DirectoryValue value = rendezvous.seal(alice, network(), alice.node_id());
  EXPECT_LE(value.size(), 1000u);
  EXPECT_TRUE(Rendezvous::open(value, network(), alice.node_id(), kNow));
}

TEST(Rendezvous, NeverOpensWithOneBitDamaged) {
  const Identity alice = Identity::generate();
  const Rendezvous rendezvous{.from = record_of(alice), .sent = kNow};
  DirectoryValue value = rendezvous.seal(alice, network(), alice.node_id());
  for (std::size_t bit = 0; bit < value.size() * 8; ++bit) {
    value[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    EXPECT_FALSE(Rendezvous::open(value, network(), alice.node_id(), kNow)) << "bit " << bit;
    value[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  }
}

}  // namespace
}  // namespace ipop::overlay
