#include "overlay/peer/message.hpp"

#include <gtest/gtest.h>

namespace ipop::overlay::message {
namespace {

std::vector<Message> samples() {
  const Endpoint endpoint = *Endpoint::parse("[2001:db8::1]:4545");
  return {
      Ping{7, 0x1122334455667788},
      Pong{8, 9, endpoint},
      CredentialRequest{{1, 2, 3}},
      CredentialOffer{{4, 5, 6}},
      Goodbye{},
      Welcome{},
      Refusal{RefusalReason::kAddressInUse, *IpAddress::parse("192.168.10.10")},
      Candidates{{{endpoint, CandidateKind::kMapped},
                  {*Endpoint::parse("10.0.0.1:1"), CandidateKind::kLan}}},
      RelayOpen{7, {{1, 2}}, {{3, 4}}, {}, {}},
      RelayOpen{0xffffffff, {{1}}, {{2}}, {{{3}}, {{4}}}, {{{5}}, {{6}}, {{7}}}},
      RelayOpen{7, {{1, 2}}, {{3, 4}}, {}, {}, *IpAddress::parse("192.0.2.1")},
      RelayOpened{5, 6},
      RelayOpened{5, 6, *IpAddress::parse("2001:db8::2")},
      PortsOffer{false, {1, 2, 3}, {PortModel::Kind::kOne, 4545, 4545, 0}},
      PortsOffer{true, {4, 5, 6}, {PortModel::Kind::kSteps, 5000, 5000, -2}},
      PortsOffer{true, {7, 8, 9}, {PortModel::Kind::kAnyOf, 1024, 65535, 0}},
      PortsOffer{false, {7}, {PortModel::Kind::kAnyOf, 1024, 65535, 0}, GuessingEffort::kThorough},
      AddressRequest{*IpAddress::parse("192.168.10.20")},
      Introduction{{7, 8}},
      RecordDeposit{*IpAddress::parse("192.168.10.20"), {1, 2, 3}},
      RecordDeposit{{}, std::vector<std::uint8_t>(kMaxRecord)},
      RecordDeposited{*IpAddress::parse("192.168.10.20"), 7, true},
      RecordDeposited{{}, 0x1122334455667788, false},
      RelayClosed{9, RelayCloseReason::kNotConnected}};
}

TEST(Message, ComesBackAsItWasWritten) {
  for (const Message& message : samples()) {
    const auto bytes = encode(message);
    ASSERT_GE(bytes.size(), 1u);
    EXPECT_EQ(bytes[0] & 0xf0, 0x10);
    const auto parsed = parse(bytes);
    ASSERT_TRUE(parsed) << "kind " << int(bytes[0]);
    EXPECT_EQ(parsed->index(), message.index());
    EXPECT_EQ(encode(*parsed), bytes);
  }
}

TEST(Message, RefusesEveryTruncationAndEveryTrailer) {
  for (const Message& message : samples()) {
    auto bytes = encode(message);
    if (std::holds_alternative<CredentialOffer>(message) ||
        std::holds_alternative<Introduction>(message) ||
        std::holds_alternative<RecordDeposit>(message)) {
      continue;  // any length is one
    }
    for (std::size_t size = 1; size < bytes.size(); ++size) {
      EXPECT_FALSE(parse(ByteView(bytes).first(size))) << "kind " << int(bytes[0]) << ", " << size;
    }
    bytes.push_back(0);
    EXPECT_FALSE(parse(bytes)) << "kind " << int(bytes[0]);
  }
}

TEST(Message, RefusesValuesOutsideTheirRange) {
  EXPECT_FALSE(parse({}));
  auto candidates = encode(Candidates{{{*Endpoint::parse("10.0.0.1:1"), CandidateKind::kLan}}});
  candidates[2] = 9;  // a kind that is none
  EXPECT_FALSE(parse(candidates));
  auto many = encode(Candidates{});
  many[1] = 17;
  many.resize(2 + 17 * 19);
  EXPECT_FALSE(parse(many));
  auto refusal = encode(Refusal{});
  refusal[1] = 77;
  EXPECT_FALSE(parse(refusal));
  EXPECT_FALSE(parse(encode(RelayOpen{})));  // the label 0
  auto long_way = encode(RelayOpen{1, {}, {}, {}, {}});
  long_way.back() = 4;
  long_way.resize(long_way.size() + 4 * 20);
  EXPECT_FALSE(parse(long_way));
  EXPECT_FALSE(parse(encode(RelayOpened{1, 0})));
  using Kind = PortModel::Kind;
  for (const PortModel& model :
       {PortModel{Kind::kOne, 0, 0, 0}, PortModel{Kind::kOne, 2, 1, 0},
        PortModel{Kind::kOne, 7, 7, 1}, PortModel{Kind::kSteps, 7, 7, 0},
        PortModel{Kind::kSteps, 7, 7, 65}, PortModel{Kind{0}, 7, 7, 0},
        PortModel{Kind::kSteps, 7, 7, -32768}, PortModel{Kind{4}, 7, 7, 0}}) {
    EXPECT_FALSE(parse(encode(PortsOffer{false, {}, model}))) << model.to_string();
  }
  auto neither = encode(PortsOffer{false, {}, {Kind::kOne, 7, 7, 0}});
  EXPECT_TRUE(parse(neither));
  neither[1] = 2;
  EXPECT_FALSE(parse(neither));
  for (const std::uint8_t effort : {std::uint8_t{0}, std::uint8_t{3}}) {
    auto offer = encode(PortsOffer{false, {}, {Kind::kOne, 7, 7, 0}});
    offer.back() = effort;
    EXPECT_FALSE(parse(offer));
  }
  EXPECT_FALSE(parse(encode(RecordDeposit{})));  // nothing is left
  EXPECT_FALSE(parse(encode(RecordDeposit{{}, std::vector<std::uint8_t>(kMaxRecord + 1)})));
  auto deposited = encode(RecordDeposited{{}, 7, true});
  deposited[1] = 3;
  EXPECT_FALSE(parse(deposited));
  for (const std::uint8_t reason : {std::uint8_t{0}, std::uint8_t{5}}) {
    auto closed = encode(RelayClosed{1, RelayCloseReason::kDone});
    closed.back() = reason;
    EXPECT_FALSE(parse(closed));
  }
}

TEST(Message, LetsUnknownKindsPass) {
  // All kinds are taken: later ones are steps of the last.
  const std::vector<std::uint8_t> future{0x1f, 9, 2, 3};
  const auto parsed = parse(future);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(std::get<Unknown>(*parsed).kind, 0x1f);
}

TEST(Message, LanesAreReadAsTheyWereWritten) {
  const auto probe = std::get<LaneProbe>(*parse(encode(LaneProbe{.lane = 31, .token = 7})));
  EXPECT_EQ(probe.lane, 31);
  EXPECT_EQ(probe.token, 7u);
  const auto heard = std::get<LaneHeard>(*parse(encode(LaneHeard{.lane = 1, .token = 8})));
  EXPECT_EQ(heard.lane, 1);
  EXPECT_EQ(heard.token, 8u);
}

TEST(Message, LanesThatCannotBeAreRefused) {
  for (const Message& message : {Message(LaneProbe{.lane = 1}), Message(LaneHeard{.lane = 1})}) {
    auto bytes = encode(message);
    for (std::size_t size = 2; size < bytes.size(); ++size)
      EXPECT_FALSE(parse(ByteView(bytes).first(size))) << size;
    for (const std::uint8_t lane : {std::uint8_t{0}, std::uint8_t{32}, std::uint8_t{255}}) {
      bytes[2] = lane;
      EXPECT_FALSE(parse(bytes)) << int(lane);
    }
    bytes[2] = 5;
    EXPECT_TRUE(parse(bytes));
    bytes.push_back(0);
    EXPECT_FALSE(parse(bytes));
  }
}

}  // namespace
}  // namespace ipop::overlay::message
