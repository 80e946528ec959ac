#include "overlay/peer/transfer.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace ipop::overlay {
namespace {

std::vector<std::uint8_t> some(std::size_t size) {
  std::vector<std::uint8_t> content(size);
  std::iota(content.begin(), content.end(), 0);
  return content;
}

ByteView part(ByteView content, unsigned index) {
  const std::size_t begin = index * Transfer::kPart;
  return content.subspan(begin, std::min(Transfer::kPart, content.size() - begin));
}

TEST(Transfer, IsWholeInAnyOrderAndWithDoubles) {
  const auto content = some(3500);
  Transfer transfer(digest_of(content), 4000);
  EXPECT_EQ(transfer.missing(), ~std::uint64_t{0});
  EXPECT_FALSE(transfer.take(3500, 3, part(content, 3)));
  EXPECT_FALSE(transfer.take(3500, 3, part(content, 3)));
  EXPECT_FALSE(transfer.take(3500, 0, part(content, 0)));
  EXPECT_EQ(transfer.missing(), 6u);
  EXPECT_FALSE(transfer.take(3500, 2, part(content, 2)));
  EXPECT_TRUE(transfer.take(3500, 1, part(content, 1)));
  EXPECT_EQ(transfer.content(), content);
}

TEST(Transfer, TakesExactlyWhatWasAskedFor) {
  const auto content = some(64'000);
  Transfer transfer(digest_of(content), 64'000);
  for (unsigned index = 0; index < 64; ++index)
    EXPECT_EQ(transfer.take(64'000, index, part(content, index)), index == 63);
  Transfer other(digest_of(some(64'001)), 64'000);
  for (unsigned index = 0; index < 64; ++index)
    EXPECT_FALSE(other.take(64'000, index, part(content, index)));
  EXPECT_EQ(other.missing(), ~std::uint64_t{0}) << "it begins again";
}

TEST(Transfer, RefusesPartsThatCannotBe) {
  const auto content = some(1500);
  Transfer transfer(digest_of(content), 1500);
  EXPECT_FALSE(transfer.take(0, 0, {}));
  EXPECT_FALSE(transfer.take(1501, 0, part(content, 0)));
  EXPECT_FALSE(transfer.take(1500, 2, part(content, 1)));
  EXPECT_FALSE(transfer.take(1500, 255, part(content, 1)));
  EXPECT_FALSE(transfer.take(1500, 0, part(content, 1)));
  EXPECT_FALSE(transfer.take(1500, 1, part(content, 0)));
  EXPECT_TRUE(transfer.content().empty());
}

TEST(Transfer, BeginsAgainWhenTheSizeIsAnother) {
  const auto content = some(1500);
  Transfer transfer(digest_of(content), 4000);
  EXPECT_FALSE(transfer.take(2500, 2, part(some(2500), 2)));
  EXPECT_FALSE(transfer.take(1500, 0, part(content, 0)));
  EXPECT_TRUE(transfer.take(1500, 1, part(content, 1)));
}

}  // namespace
}  // namespace ipop::overlay
