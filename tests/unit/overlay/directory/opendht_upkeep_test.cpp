// What keeps a node of the DHT useful for days: silence is noticed, and what OpenDHT should keep
// going by itself is done again. The intervals are shortened; OpenDHT's own are not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/dht_world.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

using Values = std::vector<DirectoryValue>;

const DirectoryKey kKey{{1, 2, 3}};
constexpr SilenceLimits kShortSilence{
    .probe_after = 200ms, .probe_interval = 100ms, .isolated_after = 800ms};

DirectoryValue value(std::uint8_t number) {
  return DirectoryValue(300, number);
}

Directory::OnValue collect(Values& into) {
  return [&into](ByteView bytes) { into.emplace_back(bytes.begin(), bytes.end()); };
}

TEST(OpenDhtUpkeep, NoticesThatItIsCutOffAndComesBack) {
  DhtWorld world(1ms);
  world.add();
  DhtWorld::Node& alice = world.add({.silence = kShortSilence});
  DhtWorld::Node& bob = world.add();
  ASSERT_TRUE(world.run_until_all_connected());
  Values heard;
  alice.directory->listen(kKey, collect(heard));
  bob.directory->publish(kKey, value(1));
  ASSERT_TRUE(world.run_until([&] { return heard.size() == 1; }));

  alice.cut_off = true;
  ASSERT_TRUE(world.run_until([&] { return !alice.directory->status().connected; }));
  EXPECT_GE(alice.directory->counters().isolations, 1u);
  bob.directory->publish(kKey, value(2));
  const auto calls = alice.directory->counters().bootstrap_calls;
  ASSERT_TRUE(
      world.run_until([&] { return alice.directory->counters().bootstrap_calls >= calls + 2; }));
  EXPECT_EQ(heard.size(), 1u);

  alice.cut_off = false;
  ASSERT_TRUE(world.run_until([&] { return alice.directory->status().connected; }));
  EXPECT_TRUE(world.run_until([&] { return heard.size() == 2; }));
}

TEST(OpenDhtUpkeep, StaysConnectedWhileNothingHappens) {
  DhtWorld world(1ms);
  world.add({.silence = kShortSilence});
  world.add({.silence = kShortSilence});
  ASSERT_TRUE(world.run_until_all_connected());
  EXPECT_FALSE(world.run_until(
      [&] {
        return !world.nodes()[0]->directory->status().connected ||
               !world.nodes()[1]->directory->status().connected;
      },
      2s));
}

TEST(OpenDhtUpkeep, JoinsANetworkThatComesUpLater) {
  DhtWorld world(1ms);
  DhtWorld::Node& first = world.add();
  DhtWorld::Node& second = world.add();
  first.cut_off = true;
  ASSERT_TRUE(world.run_until([&] { return second.directory->counters().bootstrap_calls >= 3; }));
  EXPECT_FALSE(second.directory->status().connected);
  first.cut_off = false;
  const Instant start = read_monotonic();
  ASSERT_TRUE(world.run_until_all_connected());
  EXPECT_LT(read_monotonic() - start, 1500ms);
}

// The only node that stores anything is replaced by an empty one at the same endpoint.
TEST(OpenDhtUpkeep, OutlivesTheLossOfWhatTheNetworkStored) {
  DhtWorld world(1ms);
  DhtWorld::Node& storing = world.add();
  const UpkeepIntervals brief{.republish = 300ms, .poll = 200ms};
  DhtWorld::Node& alice = world.add({.upkeep = brief, .silence = kShortSilence});
  DhtWorld::Node& bob = world.add({.upkeep = brief, .silence = kShortSilence});
  ASSERT_TRUE(world.run_until_all_connected());
  alice.directory->publish(kKey, value(1));
  Values heard;
  bob.directory->listen(kKey, collect(heard));
  ASSERT_TRUE(world.run_until([&] { return heard.size() == 1; }));

  world.start(storing);
  alice.directory->publish(kKey, value(2));
  EXPECT_TRUE(world.run_until([&] { return heard.size() == 2; }));
  Values found;
  bool asking = false;
  EXPECT_TRUE(world.run_until([&] {
    if (!asking) {
      asking = true;
      storing.directory->lookup(kKey, collect(found), [&](bool) { asking = false; });
    }
    return !found.empty();
  }));
}

// A poll that OpenDHT answers from what it listens to already would help nobody.
TEST(OpenDhtUpkeep, PollsOnTheWire) {
  DhtWorld world(1ms);
  world.add();
  DhtWorld::Node& listening = world.add({.upkeep = {.poll = 300ms}});
  ASSERT_TRUE(world.run_until_all_connected());
  Values heard;
  listening.directory->listen(kKey, collect(heard));
  const Instant start = read_monotonic();
  ASSERT_TRUE(world.run_until([&] { return read_monotonic() > start + 200ms; }));
  const auto& counters = listening.directory->counters();
  const auto before = counters.datagrams_out;
  EXPECT_TRUE(world.run_until([&] { return counters.datagrams_out >= before + 2; }, 1s));
}

// The storing node believes that it told the listener, whose datagrams from it are lost meanwhile.
TEST(OpenDhtUpkeep, FindsByPollingWhatWasNotPushed) {
  DhtWorld world(1ms);
  world.add();
  DhtWorld::Node& listening = world.add({.upkeep = {.poll = 2s}});
  DhtWorld::Node& publishing = world.add();
  ASSERT_TRUE(world.run_until_all_connected());
  Values heard;
  listening.directory->listen(kKey, collect(heard));
  publishing.directory->publish(kKey, value(1));
  ASSERT_TRUE(world.run_until([&] { return heard.size() == 1; }));
  listening.cut_off = true;
  const auto puts = publishing.directory->counters().puts;
  publishing.directory->publish(kKey, value(2));
  ASSERT_TRUE(world.run_until([&] { return publishing.directory->counters().puts > puts; }));
  const Instant put = read_monotonic();
  ASSERT_TRUE(world.run_until([&] { return read_monotonic() > put + 100ms; }));
  listening.cut_off = false;
  EXPECT_TRUE(world.run_until([&] { return heard.size() == 2; }));
}

TEST(OpenDhtUpkeep, StopsRepeatingWhatWasWithdrawn) {
  DhtWorld world(1ms);
  world.add();
  const UpkeepIntervals brief{.republish = 50ms};
  DhtWorld::Node& alice = world.add({.upkeep = brief});
  ASSERT_TRUE(world.run_until_all_connected());
  alice.directory->publish(kKey, value(1));
  ASSERT_TRUE(world.run_until([&] { return alice.directory->counters().puts >= 3; }));
  alice.directory->withdraw(kKey);
  const auto puts = alice.directory->counters().puts;
  EXPECT_FALSE(world.run_until([&] { return alice.directory->counters().puts != puts; }, 300ms));
}

}  // namespace
}  // namespace ipop::overlay
