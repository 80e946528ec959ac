#include "engine/net/neighbours.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "frames.hpp"

namespace ipop::engine {
namespace {

using namespace std::chrono_literals;
using testing::ip;
using testing::kAnswered;
using testing::kOurMac;
using testing::kSaid;
using testing::kTheirMac;
using testing::kThirdMac;

constexpr Instant kStart{1h};

struct Question {
  IpAddress address;
  std::optional<MacAddress> mac;  // none: all are asked

  friend bool operator==(const Question&, const Question&) = default;
};

struct Ticked {
  std::vector<Question> asked;
  std::vector<IpAddress> lost;

  [[nodiscard]] bool nothing() const { return asked.empty() && lost.empty(); }
};

Ticked tick(Neighbours& neighbours, Instant now) {
  Ticked ticked;
  neighbours.tick(
      now,
      [&](const IpAddress& address, const MacAddress* mac) {
        ticked.asked.push_back({address, mac == nullptr ? std::nullopt : std::optional(*mac)});
      },
      [&](const IpAddress& address) { ticked.lost.push_back(address); });
  return ticked;
}

std::optional<MacAddress> found(Neighbours& neighbours, const IpAddress& address, Instant now) {
  const MacAddress* const mac = neighbours.find(address, now);
  return mac == nullptr ? std::nullopt : std::optional(*mac);
}

// The address of both families that ends in this number.
IpAddress four(std::uint32_t number) {
  return IpAddress::v4(0xc0000200 + number);
}

IpAddress six(std::uint32_t number) {
  IpAddress::Bytes bytes{0xfe, 0x80};
  store_be(&bytes[12], number);
  return IpAddress(bytes);
}

class NeighboursOfAFamily : public ::testing::TestWithParam<IpAddress> {
 protected:
  const IpAddress address_ = GetParam();
  const std::vector<Question> to_all_{{address_, std::nullopt}};
  const std::vector<Question> to_them_{{address_, kTheirMac}};
  const std::vector<IpAddress> lost_{address_};
  Neighbours neighbours_;
};

INSTANTIATE_TEST_SUITE_P(Both, NeighboursOfAFamily, ::testing::Values(four(2), six(2)),
                         [](const auto& each) { return each.param.is_v4() ? "Ipv4" : "Ipv6"; });

TEST_P(NeighboursOfAFamily, AreAskedForAtOnceAndAgainEverySecond) {
  EXPECT_FALSE(neighbours_.is_asking());
  EXPECT_FALSE(found(neighbours_, address_, kStart));
  EXPECT_TRUE(neighbours_.is_asking());
  EXPECT_EQ(tick(neighbours_, kStart).asked, to_all_);
  EXPECT_TRUE(tick(neighbours_, kStart).nothing());
  EXPECT_TRUE(tick(neighbours_, kStart + 1s - 1ns).nothing());
  EXPECT_EQ(tick(neighbours_, kStart + 1s).asked, to_all_);
  EXPECT_TRUE(tick(neighbours_, kStart + 2s - 1ns).nothing());
  EXPECT_EQ(tick(neighbours_, kStart + 2s).asked, to_all_);
  EXPECT_TRUE(tick(neighbours_, kStart + 3s - 1ns).nothing());
  EXPECT_TRUE(neighbours_.is_asking());
  const Ticked last = tick(neighbours_, kStart + 3s);
  EXPECT_TRUE(last.asked.empty());
  EXPECT_EQ(last.lost, lost_);
  EXPECT_FALSE(neighbours_.is_asking());
  EXPECT_TRUE(tick(neighbours_, kStart + 4s).nothing());
}

TEST_P(NeighboursOfAFamily, AreAskedForOnceHoweverManyPacketsGoThere) {
  for (int packet = 0; packet < 100; ++packet)
    EXPECT_FALSE(found(neighbours_, address_, kStart + packet * 1ms));
  EXPECT_EQ(tick(neighbours_, kStart + 100ms).asked, to_all_);
  EXPECT_FALSE(found(neighbours_, address_, kStart + 200ms));
  EXPECT_TRUE(tick(neighbours_, kStart + 200ms).nothing());
}

TEST_P(NeighboursOfAFamily, AreAskedForAnewOnceLost) {
  static_cast<void>(found(neighbours_, address_, kStart));
  for (int second = 0; second <= 3; ++second)
    static_cast<void>(tick(neighbours_, kStart + second * 1s));
  EXPECT_FALSE(neighbours_.learn(address_, kTheirMac, kAnswered, kStart + 4s));
  EXPECT_FALSE(found(neighbours_, address_, kStart + 5s));
  EXPECT_EQ(tick(neighbours_, kStart + 5s).asked, to_all_);
  EXPECT_TRUE(neighbours_.learn(address_, kTheirMac, kAnswered, kStart + 6s));
  EXPECT_EQ(found(neighbours_, address_, kStart + 6s), kTheirMac);
}

TEST_P(NeighboursOfAFamily, AreReachableForHalfAMinuteAfterTheirAnswer) {
  static_cast<void>(found(neighbours_, address_, kStart));
  static_cast<void>(tick(neighbours_, kStart));
  EXPECT_TRUE(neighbours_.learn(address_, kTheirMac, kAnswered, kStart));
  EXPECT_FALSE(neighbours_.is_asking());
  EXPECT_EQ(found(neighbours_, address_, kStart + 30s - 1ns), kTheirMac);
  EXPECT_FALSE(neighbours_.is_asking());
  EXPECT_TRUE(tick(neighbours_, kStart + 30s - 1ns).nothing());
}

TEST_P(NeighboursOfAFamily, AreAskedWhereTheyWereAndStillUsedMeanwhile) {
  static_cast<void>(found(neighbours_, address_, kStart));
  static_cast<void>(neighbours_.learn(address_, kTheirMac, kAnswered, kStart));
  EXPECT_EQ(found(neighbours_, address_, kStart + 30s), kTheirMac);
  EXPECT_TRUE(neighbours_.is_asking());
  for (int second = 30; second < 33; ++second) {
    EXPECT_EQ(tick(neighbours_, kStart + second * 1s).asked, to_them_) << second;
    EXPECT_EQ(found(neighbours_, address_, kStart + second * 1s + 500ms), kTheirMac) << second;
  }
  EXPECT_EQ(tick(neighbours_, kStart + 33s).lost, lost_);
  EXPECT_FALSE(neighbours_.is_asking());
  EXPECT_FALSE(found(neighbours_, address_, kStart + 33s));
  EXPECT_EQ(tick(neighbours_, kStart + 33s).asked, to_all_);
}

TEST_P(NeighboursOfAFamily, AreReachableAgainByAnAnswerToThat) {
  static_cast<void>(found(neighbours_, address_, kStart));
  static_cast<void>(neighbours_.learn(address_, kTheirMac, kAnswered, kStart));
  static_cast<void>(found(neighbours_, address_, kStart + 40s));
  EXPECT_EQ(tick(neighbours_, kStart + 40s).asked, to_them_);
  // Nothing waits: packets went where it was.
  EXPECT_FALSE(neighbours_.learn(address_, kTheirMac, kAnswered, kStart + 41s));
  EXPECT_FALSE(neighbours_.is_asking());
  EXPECT_EQ(found(neighbours_, address_, kStart + 71s - 1ns), kTheirMac);
  EXPECT_FALSE(neighbours_.is_asking());
  EXPECT_EQ(found(neighbours_, address_, kStart + 71s), kTheirMac);
  EXPECT_EQ(tick(neighbours_, kStart + 71s).asked, to_them_);
}

TEST_P(NeighboursOfAFamily, AreNotAskedWhileNothingGoesThere) {
  static_cast<void>(found(neighbours_, address_, kStart));
  static_cast<void>(neighbours_.learn(address_, kTheirMac, kAnswered, kStart));
  EXPECT_TRUE(tick(neighbours_, kStart + 24h).nothing());
  EXPECT_FALSE(neighbours_.is_asking());
  EXPECT_EQ(found(neighbours_, address_, kStart + 24h), kTheirMac);
  EXPECT_EQ(tick(neighbours_, kStart + 24h).asked, to_them_);
}

TEST_P(NeighboursOfAFamily, AreBelievedUnaskedAndThenAsked) {
  static_cast<void>(found(neighbours_, address_, kStart));
  EXPECT_TRUE(neighbours_.learn(address_, kTheirMac, kSaid, kStart));
  EXPECT_EQ(found(neighbours_, address_, kStart), kTheirMac);
  EXPECT_TRUE(neighbours_.is_asking());
  EXPECT_EQ(tick(neighbours_, kStart).asked, to_them_);
  EXPECT_FALSE(neighbours_.learn(address_, kTheirMac, kAnswered, kStart));
  EXPECT_FALSE(neighbours_.is_asking());
}

TEST_P(NeighboursOfAFamily, MoveAtOnceAndAreAskedThere) {
  static_cast<void>(found(neighbours_, address_, kStart));
  static_cast<void>(neighbours_.learn(address_, kTheirMac, kAnswered, kStart));
  EXPECT_FALSE(neighbours_.learn(address_, kThirdMac, kSaid, kStart + 5s));
  EXPECT_EQ(found(neighbours_, address_, kStart + 5s), kThirdMac);
  EXPECT_TRUE(neighbours_.is_asking());
  EXPECT_EQ(tick(neighbours_, kStart + 5s).asked, (std::vector<Question>{{address_, kThirdMac}}));
  // And back, while they are asked: the tries go on where they were.
  EXPECT_FALSE(neighbours_.learn(address_, kTheirMac, kSaid, kStart + 5s));
  for (int second = 6; second < 8; ++second)
    EXPECT_EQ(tick(neighbours_, kStart + second * 1s).asked, to_them_) << second;
  EXPECT_EQ(tick(neighbours_, kStart + 8s).lost, lost_);
}

TEST_P(NeighboursOfAFamily, ConfirmNothingByRepeatingThemselvesUnasked) {
  static_cast<void>(found(neighbours_, address_, kStart));
  static_cast<void>(neighbours_.learn(address_, kTheirMac, kAnswered, kStart));
  EXPECT_FALSE(neighbours_.learn(address_, kTheirMac, kSaid, kStart + 20s));
  EXPECT_FALSE(neighbours_.is_asking());
  static_cast<void>(found(neighbours_, address_, kStart + 30s));
  EXPECT_EQ(tick(neighbours_, kStart + 30s).asked, to_them_);
  EXPECT_FALSE(neighbours_.learn(address_, kTheirMac, kSaid, kStart + 30s));
  EXPECT_TRUE(neighbours_.is_asking());
  EXPECT_TRUE(tick(neighbours_, kStart + 30s).nothing());
}

TEST_P(NeighboursOfAFamily, AreNotLearntIfNobodyAskedForThem) {
  EXPECT_FALSE(neighbours_.learn(address_, kTheirMac, kAnswered, kStart));
  EXPECT_FALSE(neighbours_.learn(address_, kTheirMac, kSaid, kStart));
  EXPECT_FALSE(neighbours_.is_asking());
  EXPECT_TRUE(tick(neighbours_, kStart).nothing());
  EXPECT_FALSE(found(neighbours_, address_, kStart));
}

TEST(Neighbours, AreNotPushedOutByWhatOthersSay) {
  Neighbours neighbours;
  static_cast<void>(found(neighbours, four(1), kStart));
  static_cast<void>(neighbours.learn(four(1), kTheirMac, kAnswered, kStart));
  for (std::uint32_t number = 2; number < 10000; ++number)
    EXPECT_FALSE(neighbours.learn(four(number), kThirdMac, number % 2 == 0 ? kAnswered : kSaid,
                                  kStart + 1s));
  EXPECT_EQ(found(neighbours, four(1), kStart + 2s), kTheirMac);
}

TEST(Neighbours, KeepTheLastOnesThatWereUsedHoweverManyThereAre) {
  Neighbours neighbours;
  Instant now = kStart;
  const auto use = [&](const IpAddress& address) {
    static_cast<void>(found(neighbours, address, now += 1us));
    static_cast<void>(neighbours.learn(address, kTheirMac, kAnswered, now));
  };
  use(four(0));
  for (std::uint32_t number = 1; number < 5000; ++number) {
    use(number % 2 == 0 ? four(number) : six(number));
    // Used all the time, it stays; so do the few before the last.
    ASSERT_EQ(found(neighbours, four(0), now += 1us), kTheirMac) << number;
    const std::uint32_t before = number - 1;
    ASSERT_EQ(found(neighbours, before % 2 == 0 ? four(before) : six(before), now += 1us),
              kTheirMac)
        << number;
  }
}

TEST(Neighbours, AreNoMoreThanTheirMemoryHolds) {
  Neighbours neighbours;
  constexpr std::uint32_t kMany = 5000;
  for (std::uint32_t number = 0; number < kMany; ++number)
    static_cast<void>(
        found(neighbours, number % 2 == 0 ? four(number) : six(number), kStart + number * 1us));
  EXPECT_TRUE(neighbours.is_asking());
  const std::size_t asked = tick(neighbours, kStart + 1s).asked.size();
  EXPECT_GE(asked, 4u);
  EXPECT_LE(asked, Neighbours::kMost);
  // The count of those that ask went neither up nor down by those that were pushed out.
  EXPECT_EQ(tick(neighbours, kStart + 2s).asked.size(), asked);
  EXPECT_EQ(tick(neighbours, kStart + 3s).asked.size(), asked);
  EXPECT_TRUE(neighbours.is_asking());
  EXPECT_EQ(tick(neighbours, kStart + 4s).lost.size(), asked);
  EXPECT_FALSE(neighbours.is_asking());
}

// Three addresses, so that none is pushed out wherever they are kept: what is said of each, and
// nothing else, decides.
struct Known {
  std::optional<MacAddress> mac;
  std::optional<Instant> asks_at;  // no answer is missing without it
  unsigned questions = 0;
  Instant sure_until{};
};

class SlowNeighbours {
 public:
  std::optional<MacAddress> find(const IpAddress& address, Instant now) {
    const auto [at, is_new] = known_.try_emplace(address);
    Known& known = at->second;
    if (is_new || (!known.asks_at && now >= known.sure_until)) ask(known, now);
    return known.mac;
  }

  bool learn(const IpAddress& address, const MacAddress& mac, bool confirms, Instant now) {
    const auto at = known_.find(address);
    if (at == known_.end()) return false;
    Known& known = at->second;
    const std::optional<MacAddress> before = std::exchange(known.mac, mac);
    if (confirms) {
      known.asks_at.reset();
      known.sure_until = now + 30s;
    } else if (before != mac && (!before || !known.asks_at)) {
      ask(known, now);
    }
    return !before;
  }

  Ticked tick(Instant now) {
    Ticked ticked;
    for (auto& [address, known] : known_) {
      if (!known.asks_at || *known.asks_at > now) continue;
      if (known.questions == 3) {
        ticked.lost.push_back(address);
        continue;
      }
      ++known.questions;
      known.asks_at = now + 1s;
      ticked.asked.push_back({address, known.mac});
    }
    for (const IpAddress& address : ticked.lost)
      known_.erase(address);
    return ticked;
  }

  [[nodiscard]] bool is_asking() const {
    return std::ranges::any_of(known_,
                               [](const auto& each) { return each.second.asks_at.has_value(); });
  }

 private:
  static void ask(Known& known, Instant now) {
    known.asks_at = now;
    known.questions = 0;
  }

  std::map<IpAddress, Known> known_;
};

TEST(Neighbours, AgreeWithASlowModel) {
  std::mt19937 random(1);
  const IpAddress addresses[] = {four(1), four(2), six(1)};
  const MacAddress macs[] = {kOurMac, kTheirMac, kThirdMac};
  Neighbours neighbours;
  SlowNeighbours model;
  Instant now = kStart;
  const auto by_address = [](auto& list, auto key) { std::ranges::sort(list, {}, key); };
  for (int step = 0; step < 50'000; ++step) {
    now += random() % 50 == 0 ? 30s : (random() % 1000) * 1ms;
    const IpAddress& address = addresses[random() % 3];
    switch (random() % 4) {
      case 0:
        ASSERT_EQ(found(neighbours, address, now), model.find(address, now)) << step;
        break;
      case 1: {
        const MacAddress& mac = macs[random() % 3];
        const bool confirms = random() % 2 == 0;
        ASSERT_EQ(neighbours.learn(address, mac, confirms ? kAnswered : kSaid, now),
                  model.learn(address, mac, confirms, now))
            << step;
        break;
      }
      default: {
        Ticked ticked = tick(neighbours, now);
        Ticked expected = model.tick(now);
        by_address(ticked.asked, &Question::address);
        by_address(expected.asked, &Question::address);
        by_address(ticked.lost, std::identity{});
        ASSERT_EQ(ticked.asked, expected.asked) << step;
        ASSERT_EQ(ticked.lost, expected.lost) << step;
      }
    }
    ASSERT_EQ(neighbours.is_asking(), model.is_asking()) << step;
  }
}

TEST(NeighbourTable, KnowsAllTheStationsOfAnOrdinaryLink) {
  Neighbours neighbours;
  const Instant now{1h};
  for (std::uint32_t n = 1; n <= 100; ++n) {
    const IpAddress address = IpAddress::v4(0xc0000200 + n);
    static_cast<void>(neighbours.find(address, now + n * 1us));
    static_cast<void>(neighbours.learn(address, kTheirMac, kAnswered, now + n * 1us));
  }
  std::size_t known = 0;
  for (std::uint32_t n = 100; n >= 1; --n)
    known += neighbours.find(IpAddress::v4(0xc0000200 + n), now + 1s) != nullptr;
  EXPECT_GE(known, 90u);
}

TEST(NeighbourTable, AsksNoMoreThanOncePerSecondHoweverOftenANeighbourMoves) {
  Neighbours neighbours;
  const Instant now{1h};
  const IpAddress address = ip("192.0.2.2");
  static_cast<void>(neighbours.find(address, now));
  static_cast<void>(neighbours.learn(address, kTheirMac, kAnswered, now));
  int asked = 0;
  for (int i = 0; i < 1000; ++i) {
    static_cast<void>(
        neighbours.learn(address, i % 2 == 0 ? kThirdMac : kTheirMac, kSaid, now + i * 1us));
    neighbours.tick(
        now + i * 1us, [&](const IpAddress&, const MacAddress*) { ++asked; },
        [](const IpAddress&) {});
  }
  EXPECT_LE(asked, 10);
}

}  // namespace
}  // namespace ipop::engine
