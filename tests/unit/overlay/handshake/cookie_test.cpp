#include "overlay/handshake/cookie.hpp"

#include <gtest/gtest.h>

#include "parties.hpp"

namespace ipop::overlay::handshake::testing {
namespace {

using std::chrono::seconds;

class Cookie : public ::testing::TestWithParam<Form> {
 protected:
  // A new message with the writer's macs, as the checker gets it.
  Bytes message(Duration when) {
    Bytes bytes(116, 0x77);
    bytes[4] = 0xaa;
    bytes[100] = ++messages_;
    writer_.append_macs(bytes, at(when));
    return bytes;
  }
  MacVerdict verdict(const Bytes& bytes, Duration when) {
    return checker_.check(bytes, source_, at(when));
  }
  // The checker answers a message with a cookie, and the writer takes it.
  void exchange_cookie(Duration when) {
    const Bytes bytes = message(when);
    ASSERT_TRUE(writer_.consume_reply(checker_.make_reply(bytes, source_, at(when)), at(when)));
  }

  Party responder_{"responder"};
  Secret<32> network_mac_ = GetParam() == Form::kIpop ? fixed_secret("network") : Secret<32>();
  Endpoint source_ = endpoint("192.0.2.7:4545");
  MacWriter writer_{GetParam(), responder_.public_key, network_mac_};
  MacChecker checker_{GetParam(), responder_.public_key, network_mac_};
  std::uint8_t messages_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Forms, Cookie, ::testing::Values(Form::kWireGuard, Form::kIpop),
                         form_name);

TEST_P(Cookie, IsNotNeededForAValidMac1) {
  EXPECT_EQ(verdict(message({}), {}), MacVerdict::kValid);
}

TEST_P(Cookie, ProvesTheSendersAddress) {
  exchange_cookie({});
  EXPECT_EQ(verdict(message({}), {}), MacVerdict::kProven);
}

TEST_P(Cookie, DoesNotProveAnotherAddressOrPort) {
  exchange_cookie({});
  const Bytes bytes = message({});
  EXPECT_EQ(checker_.check(bytes, endpoint("192.0.2.8:4545"), at({})), MacVerdict::kValid);
  EXPECT_EQ(checker_.check(bytes, endpoint("192.0.2.7:4546"), at({})), MacVerdict::kValid);
  EXPECT_EQ(checker_.check(bytes, endpoint("[2001:db8::7]:4545"), at({})), MacVerdict::kValid);
  EXPECT_EQ(checker_.check(bytes, source_, at({})), MacVerdict::kProven);
}

TEST_P(Cookie, IsForgottenByTheWriterAfter120Seconds) {
  exchange_cookie({});
  const Bytes before = message(seconds(120) - Duration(1));
  EXPECT_EQ(verdict(before, seconds(120) - Duration(1)), MacVerdict::kProven);
  const Bytes after = message(seconds(120));
  EXPECT_EQ(Bytes(after.end() - 16, after.end()), Bytes(16)) << "mac2 must be zero";
}

TEST_P(Cookie, OutlivesOneChangeOfTheSecretAndNoSecond) {
  exchange_cookie({});
  const Bytes bytes = message({});
  EXPECT_EQ(verdict(bytes, seconds(119)), MacVerdict::kProven);
  EXPECT_EQ(verdict(bytes, seconds(121)), MacVerdict::kProven);
  EXPECT_EQ(verdict(bytes, seconds(239)), MacVerdict::kProven);
  EXPECT_EQ(verdict(bytes, seconds(242)), MacVerdict::kValid);
}

TEST_P(Cookie, IsExpiredAfterALongRestOfTheChecker) {
  exchange_cookie({});
  const Bytes bytes = message({});
  EXPECT_EQ(verdict(bytes, seconds(240)), MacVerdict::kValid);
}

TEST_P(Cookie, OfAnotherCheckerProvesNothing) {
  exchange_cookie({});
  MacChecker restarted(GetParam(), responder_.public_key, network_mac_);
  EXPECT_EQ(restarted.check(message({}), source_, at({})), MacVerdict::kValid);
}

TEST_P(Cookie, ReplyNamesTheSenderAndIsShorterThanAnyMessage) {
  const Bytes reply = checker_.make_reply(message({}), source_, at({}));
  EXPECT_EQ(reply.size(), 64u);
  EXPECT_EQ(Bytes(reply.begin(), reply.begin() + 4), (Bytes{3, 0, 0, 0}));
  EXPECT_EQ(receiver_of(reply), 0x777777aau);
}

TEST_P(Cookie, ReplyIsForOneMessage) {
  const Bytes first = message({});
  const Bytes reply = checker_.make_reply(first, source_, at({}));
  (void)message({});  // the writer now waits for the answer to this one
  EXPECT_FALSE(writer_.consume_reply(reply, at({})));
}

TEST_P(Cookie, ReplySentAgainDoesNotProlongItsLife) {
  const Bytes bytes = message({});
  const Bytes reply = checker_.make_reply(bytes, source_, at({}));
  ASSERT_TRUE(writer_.consume_reply(reply, at({})));
  EXPECT_FALSE(writer_.consume_reply(reply, at(seconds(100))));
  const Bytes later = message(seconds(130));
  EXPECT_EQ(Bytes(later.end() - 16, later.end()), Bytes(16));
}

TEST_P(Cookie, ReplyBeforeAnyMessageIsRefused) {
  const Bytes reply = checker_.make_reply(message({}), source_, at({}));
  MacWriter fresh(GetParam(), responder_.public_key, network_mac_);
  EXPECT_FALSE(fresh.consume_reply(reply, at({})));
}

TEST_P(Cookie, ReplyOfAnotherNodeIsRefused) {
  const Bytes bytes = message({});
  MacChecker other(GetParam(), Party("somebody else").public_key, network_mac_);
  EXPECT_FALSE(writer_.consume_reply(other.make_reply(bytes, source_, at({})), at({})));
}

TEST_P(Cookie, ReplyOfAWrongLengthIsRefused) {
  const Bytes reply = checker_.make_reply(message({}), source_, at({}));
  for (std::size_t size = 0; size < 100; ++size) {
    Bytes cut = reply;
    cut.resize(size);
    if (size == reply.size()) continue;
    EXPECT_FALSE(writer_.consume_reply(cut, at({}))) << size;
  }
  EXPECT_TRUE(writer_.consume_reply(reply, at({})));
}

TEST_P(Cookie, NewReplyReplacesTheOld) {
  exchange_cookie({});
  source_ = endpoint("192.0.2.99:1");
  EXPECT_EQ(verdict(message(seconds(1)), seconds(1)), MacVerdict::kValid);
  exchange_cookie(seconds(1));
  EXPECT_EQ(verdict(message(seconds(1)), seconds(1)), MacVerdict::kProven);
}

TEST_P(Cookie, CheckerRefusesSizesThatNoMessageHas) {
  for (const std::size_t size : {0, 1, 31, 32, 40, 59}) {
    Bytes bytes(size);
    writer_.append_macs(bytes, at({}));
    EXPECT_EQ(verdict(bytes, {}), MacVerdict::kInvalid) << size;
  }
  Bytes bytes(kMaxMessage + 1 - 32);
  writer_.append_macs(bytes, at({}));
  EXPECT_EQ(verdict(bytes, {}), MacVerdict::kInvalid);
  EXPECT_EQ(verdict({}, {}), MacVerdict::kInvalid);
}

TEST_P(Cookie, CheckerRefusesMacsForAnotherNode) {
  MacChecker other(GetParam(), Party("somebody else").public_key, network_mac_);
  EXPECT_EQ(other.check(message({}), source_, at({})), MacVerdict::kInvalid);
}

TEST(MacKeys, OfAnotherNetworkDiffer) {
  const ExchangePublicKey node = Party("responder").public_key;
  const Secret<32> one = fixed_secret("one network");
  const Secret<32> other = fixed_secret("other network");
  EXPECT_FALSE(mac1_key(Form::kIpop, node, one) == mac1_key(Form::kIpop, node, other));
  EXPECT_FALSE(cookie_key(Form::kIpop, node, one) == cookie_key(Form::kIpop, node, other));
  EXPECT_FALSE(mac1_key(Form::kIpop, node, one) == cookie_key(Form::kIpop, node, one));
}

TEST(MacKeys, DifferBetweenTheForms) {
  const ExchangePublicKey node = Party("responder").public_key;
  EXPECT_FALSE(mac1_key(Form::kIpop, node, Secret<32>()) ==
               mac1_key(Form::kWireGuard, node, Secret<32>()));
}

TEST(MacChecker, RefusesAStrangerWhoKnowsOnlyThePublicKey) {
  const ExchangePublicKey node = Party("responder").public_key;
  MacChecker checker(Form::kIpop, node, fixed_secret("network"));
  MacWriter stranger(Form::kIpop, node, Secret<32>());
  Bytes bytes(116);
  stranger.append_macs(bytes, at({}));
  EXPECT_EQ(checker.check(bytes, endpoint("192.0.2.1:1"), at({})), MacVerdict::kInvalid);
}

}  // namespace
}  // namespace ipop::overlay::handshake::testing
