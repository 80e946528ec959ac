// One flipped bit anywhere in a message, and nobody takes it. mac1 covers all but the macs; the
// sealed fields cover the rest but the sender's index and the macs, without mac1's help.
#include <gtest/gtest.h>

#include "overlay/handshake/message.hpp"
#include "parties.hpp"

namespace ipop::overlay::handshake::testing {
namespace {

class Damage : public ::testing::TestWithParam<Form> {
 protected:
  Exchange exchange_{GetParam()};
  Endpoint source_ = endpoint("192.0.2.1:4545");
  MacChecker checker_{GetParam(), exchange_.responder.public_key, exchange_.network_mac};
};
INSTANTIATE_TEST_SUITE_P(Forms, Damage, ::testing::Values(Form::kWireGuard, Form::kIpop),
                         form_name);

template <typename Visit>
void for_each_damage(const Bytes& message, Visit visit) {
  for (std::size_t bit = 0; bit < message.size() * 8; ++bit) {
    Bytes damaged = message;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
    visit(damaged, bit / 8);
  }
}

bool is_sender(std::size_t offset) {
  return offset >= 4 && offset < 8;
}

TEST_P(Damage, OfAnInitiationIsNoticedByItsSealedFields) {
  const Bytes message = exchange_.initiate().message;
  for_each_damage(message, [&](const Bytes& damaged, std::size_t offset) {
    if (is_sender(offset) || offset >= message.size() - kMacsSize) return;
    EXPECT_FALSE(exchange_.receive(damaged)) << "byte " << offset;
  });
}

TEST_P(Damage, OfAResponseIsNoticedByItsSealedFields) {
  const Initiation initiation = exchange_.initiate();
  const Bytes message = exchange_.respond(exchange_.receive(initiation.message).value()).message;
  for_each_damage(message, [&](const Bytes& damaged, std::size_t offset) {
    if (is_sender(offset) || offset >= message.size() - kMacsSize) return;
    EXPECT_FALSE(exchange_.finish(initiation.state, damaged)) << "byte " << offset;
  });
}

TEST_P(Damage, BeforeMac2IsNoticedByMac1) {
  const Bytes message = exchange_.initiate().message;
  ASSERT_EQ(checker_.check(message, source_, at({})), MacVerdict::kValid);
  for_each_damage(message, [&](const Bytes& damaged, std::size_t offset) {
    const bool in_mac2 = offset >= message.size() - sizeof(Mac);
    EXPECT_EQ(checker_.check(damaged, source_, at({})),
              in_mac2 ? MacVerdict::kValid : MacVerdict::kInvalid)
        << "byte " << offset;
  });
}

TEST_P(Damage, OfAProvenMessageLeavesItUnproven) {
  MacWriter writer(GetParam(), exchange_.responder.public_key, exchange_.network_mac);
  Bytes refused(116);
  writer.append_macs(refused, at({}));
  ASSERT_TRUE(writer.consume_reply(checker_.make_reply(refused, source_, at({})), at({})));
  Bytes message(116);
  writer.append_macs(message, at({}));
  ASSERT_EQ(checker_.check(message, source_, at({})), MacVerdict::kProven);
  for_each_damage(message, [&](const Bytes& damaged, std::size_t offset) {
    EXPECT_NE(checker_.check(damaged, source_, at({})), MacVerdict::kProven) << "byte " << offset;
  });
}

TEST_P(Damage, OfACookieReplyIsNoticed) {
  MacWriter writer(GetParam(), exchange_.responder.public_key, exchange_.network_mac);
  Bytes message(116);
  writer.append_macs(message, at({}));
  const Bytes reply = checker_.make_reply(message, source_, at({}));
  for_each_damage(reply, [&](const Bytes& damaged, std::size_t offset) {
    // The receiver's index says whose writer is asked; it is not the writer's to check.
    if (is_sender(offset)) return;
    EXPECT_FALSE(writer.consume_reply(damaged, at({}))) << "byte " << offset;
  });
  EXPECT_TRUE(writer.consume_reply(reply, at({})));
}

}  // namespace
}  // namespace ipop::overlay::handshake::testing
