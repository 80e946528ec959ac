#include "overlay/peer/trust_message.hpp"

#include <gtest/gtest.h>

#include "overlay/peer/message.hpp"

namespace ipop::overlay::message {
namespace {

TrustHello hello(std::size_t lists) {
  TrustHello made{.answer_wanted = true, .passport = {1, 2}, .lists = {}};
  for (std::size_t i = 0; i < lists; ++i) {
    made.lists.push_back({.signer = {3}, .age = {.number = {}, .this_update = 77}, .digest = {4}});
    made.lists.back().age.number.back() = static_cast<std::uint8_t>(i);
  }
  return made;
}

TEST(TrustMessage, IsReadAsItWasWritten) {
  const auto parsed = std::get<TrustHello>(*parse(encode(hello(x509::kMaxLists))));
  EXPECT_TRUE(parsed.answer_wanted);
  EXPECT_EQ(parsed.passport[1], 2);
  ASSERT_EQ(parsed.lists.size(), x509::kMaxLists);
  EXPECT_EQ(parsed.lists[5].age, hello(6).lists[5].age);
  EXPECT_EQ(parsed.lists[5].digest[0], 4);
  const auto request = std::get<TrustRequest>(*parse(encode(TrustRequest{{9}, 5})));
  EXPECT_EQ(request.digest[0], 9);
  EXPECT_EQ(request.parts, 5u);
  const std::vector<std::uint8_t> bytes(Transfer::kPart, 6);
  const auto part = std::get<TrustPart>(*parse(encode(TrustPart{{9}, 60'000, 7, bytes})));
  EXPECT_EQ(part.total, 60'000);
  EXPECT_EQ(part.index, 7);
  EXPECT_EQ(part.bytes, bytes);
  const auto refusal = std::get<TrustRefusal>(*parse(encode(TrustRefusal{x509::Reason::kRevoked})));
  EXPECT_EQ(refusal.reason, x509::Reason::kRevoked);
}

TEST(TrustMessage, RefusesEveryLengthThatIsTooShort) {
  for (const Message& message : {Message(hello(2)), Message(TrustRequest{}),
                                 Message(TrustRefusal{}), Message(TrustPart{{}, 1, 0, {1}})}) {
    auto bytes = encode(message);
    for (std::size_t size = 1; size < bytes.size(); ++size)
      EXPECT_FALSE(parse(ByteView(bytes).first(size))) << int(bytes[1]) << ", " << size;
    if (std::holds_alternative<TrustPart>(message)) continue;  // more is a longer part
    bytes.push_back(0);
    EXPECT_FALSE(parse(bytes));
  }
}

TEST(TrustMessage, RefusesValuesOutsideTheirRange) {
  auto flags = encode(hello(0));
  flags[2] = 2;
  EXPECT_FALSE(parse(flags));
  auto many = encode(hello(x509::kMaxLists));
  many[35] = x509::kMaxLists + 1;
  many.resize(many.size() + 92);
  EXPECT_FALSE(parse(many));
  auto none = encode(TrustRefusal{});
  none[2] = 0;
  EXPECT_FALSE(parse(none));
  none[2] = 200;  // a reason of a later version is shown as that
  EXPECT_TRUE(parse(none));
  auto part = encode(TrustPart{{}, 60'000, 7, std::vector<std::uint8_t>(Transfer::kPart)});
  part.push_back(0);
  EXPECT_FALSE(parse(part));
}

}  // namespace
}  // namespace ipop::overlay::message
