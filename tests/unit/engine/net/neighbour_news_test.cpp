// The log of what was heard of neighbours.
#include "engine/net/neighbour_news.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "tests/unit/engine/net/frames.hpp"

namespace ipop::engine {
namespace {

// All that is in it tells the number.
NeighbourNews numbered(std::uint32_t number) {
  const auto low = static_cast<std::uint8_t>(number);
  return {.address = IpAddress::v4(number),
          .mac = {{low, low, low, low, low, low}},
          .claim = {.confirms = number % 2 != 0, .overrides = number % 3 != 0},
          .says_where = number % 5 != 0};
}

std::vector<NeighbourNews> read(const NeighbourLog& log, std::uint32_t& place) {
  std::vector<NeighbourNews> all;
  log.read(place, [&](const NeighbourNews& news) { all.push_back(news); });
  return all;
}

TEST(NeighbourLog, TellsEachReaderAllInOrderAndOnce) {
  NeighbourLog log;
  std::uint32_t one = 0;
  std::uint32_t other = 0;
  EXPECT_TRUE(read(log, one).empty());
  for (std::uint32_t i = 1; i <= 31; ++i)
    log.write(numbered(i));
  const auto first = read(log, one);
  ASSERT_EQ(first.size(), 31u);
  for (std::uint32_t i = 1; i <= 31; ++i)
    EXPECT_EQ(first[i - 1], numbered(i));
  EXPECT_TRUE(read(log, one).empty());
  log.write(numbered(32));
  EXPECT_EQ(read(log, one), std::vector{numbered(32)});
  EXPECT_EQ(read(log, other).size(), 32u);
}

TEST(NeighbourLog, KeepsTheNewest) {
  NeighbourLog log;
  std::uint32_t place = 0;
  constexpr std::uint32_t kAll = 3 * NeighbourLog::kKept + 7;
  for (std::uint32_t i = 1; i <= kAll; ++i)
    log.write(numbered(i));
  const auto kept = read(log, place);
  ASSERT_EQ(kept.size(), NeighbourLog::kKept);
  EXPECT_EQ(kept.front(), numbered(kAll - NeighbourLog::kKept + 1));
  EXPECT_EQ(kept.back(), numbered(kAll));
}

TEST(NeighbourLog, NeverTellsHalfOfSomething) {
  NeighbourLog log;
  constexpr std::uint32_t kAll = 200'000;
  std::thread writer([&] {
    for (std::uint32_t i = 1; i <= kAll; ++i)
      log.write(numbered(i));
  });
  std::uint32_t place = 0;
  std::uint32_t last = 0;
  bool all_whole = true;
  bool in_order = true;
  while (last != kAll) {
    log.read(place, [&](const NeighbourNews& news) {
      const std::uint32_t number = news.address.v4();
      all_whole &= news == numbered(number);
      in_order &= number > last;
      last = number;
    });
  }
  writer.join();
  EXPECT_TRUE(all_whole);
  EXPECT_TRUE(in_order);
}

}  // namespace
}  // namespace ipop::engine
