#include "overlay/directory/opendht_directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/support/dht_world.hpp"
#include "tests/support/temporary_directory.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using testing::Contains;

using Values = std::vector<DirectoryValue>;

DirectoryKey key(std::uint8_t number) {
  DirectoryKey made;
  made.bytes.fill(number);
  return made;
}

DirectoryValue value(std::uint8_t number, std::size_t size = 400) {
  return DirectoryValue(size, number);
}

Directory::OnValue collect(Values& into) {
  return [&into](ByteView bytes) { into.emplace_back(bytes.begin(), bytes.end()); };
}

struct LookupResult {
  Values values;
  unsigned done = 0;
  bool complete = false;
};

Directory::OnDone note_end(LookupResult& result) {
  return [&result](bool complete) {
    ++result.done;
    result.complete = complete;
  };
}

void look_up(OpenDhtDirectory& directory, const DirectoryKey& at, LookupResult& result) {
  directory.lookup(at, collect(result.values), note_end(result));
}

double milliseconds_since(Instant start) {
  return std::chrono::duration<double, std::milli>(read_monotonic() - start).count();
}

// A world of `count` connected nodes; 10 ms from any to any.
struct Connected : testing::Test {
  DhtWorld world{10ms};

  OpenDhtDirectory& directory(std::size_t n) { return *world.nodes()[n]->directory; }
  void connect(std::size_t count, const OpenDhtConfig& config = {}) {
    for (std::size_t i = 0; i < count; ++i)
      world.add(config);
    ASSERT_TRUE(world.run_until_all_connected());
  }
};

using OpenDhtDirectoryTest = Connected;

TEST_F(OpenDhtDirectoryTest, JoinsInAboutOneRoundTrip) {
  const Instant start = read_monotonic();
  connect(4);
  const double took = milliseconds_since(start);
  RecordProperty("join_ms", std::to_string(took));
  EXPECT_GE(took, 20);
  EXPECT_LT(took, 500);
  for (const auto& node : world.nodes())
    EXPECT_GE(node->directory->status().nodes, 1u);
}

TEST_F(OpenDhtDirectoryTest, FindsWhatAnotherPublished) {
  connect(4);
  LookupResult result;
  const Instant start = read_monotonic();
  directory(1).publish(key(1), value(7));
  ASSERT_TRUE(world.run_until([&] {
    if (result.values.empty() && result.done % 2 == 0) {
      ++result.done;  // odd: one lookup is under way
      look_up(directory(2), key(1), result);
    }
    return !result.values.empty();
  }));
  RecordProperty("publish_to_found_ms", std::to_string(milliseconds_since(start)));
  EXPECT_EQ(result.values[0], value(7));
}

TEST_F(OpenDhtDirectoryTest, PublishesValuesOfAllSizesThatRecordsHave) {
  connect(3);
  for (const std::size_t size : {1u, 100u, 599u, 601u, 1000u, 1200u}) {
    Values heard;
    const DirectoryKey at = key(static_cast<std::uint8_t>(size % 251));
    directory(2).listen(at, collect(heard));
    directory(1).publish(at, value(3, size));
    EXPECT_TRUE(world.run_until([&] { return !heard.empty(); })) << size;
    EXPECT_THAT(heard, Contains(value(3, size)));
  }
}

TEST_F(OpenDhtDirectoryTest, PushesEachNewValueToListeners) {
  connect(4);
  Values heard;
  directory(3).listen(key(1), collect(heard));
  directory(1).publish(key(1), value(1));
  ASSERT_TRUE(world.run_until([&] { return heard.size() == 1; }));
  const Instant start = read_monotonic();
  directory(1).publish(key(1), value(2));
  ASSERT_TRUE(world.run_until([&] { return heard.size() == 2; }));
  RecordProperty("publish_to_pushed_ms", std::to_string(milliseconds_since(start)));
  EXPECT_EQ(heard, (Values{value(1), value(2)}));
  directory(2).post(key(1), value(3));
  ASSERT_TRUE(world.run_until([&] { return heard.size() == 3; }));
  EXPECT_EQ(heard.back(), value(3));
}

TEST_F(OpenDhtDirectoryTest, DoesWhatWasAskedBeforeItWasConnected) {
  Values heard;
  Values heard_post;
  LookupResult result;
  for (int i = 0; i < 3; ++i)
    world.add();
  directory(1).listen(key(1), collect(heard));
  directory(1).listen(key(2), collect(heard_post));
  directory(2).publish(key(1), value(1));
  directory(2).post(key(2), value(2));
  look_up(directory(1), key(3), result);
  ASSERT_FALSE(directory(1).status().connected);
  const Instant start = read_monotonic();
  EXPECT_TRUE(
      world.run_until([&] { return !heard.empty() && !heard_post.empty() && result.done == 1; }));
  EXPECT_TRUE(result.complete);
  EXPECT_LT(milliseconds_since(start), 1000);
}

TEST_F(OpenDhtDirectoryTest, EndsALookupOfNothingOnce) {
  connect(3);
  LookupResult result;
  look_up(directory(1), key(9), result);
  EXPECT_EQ(result.done, 0u);
  ASSERT_TRUE(world.run_until([&] { return result.done != 0; }));
  EXPECT_TRUE(result.complete);
  EXPECT_TRUE(result.values.empty());
  EXPECT_FALSE(world.run_until([&] { return result.done != 1; }, 300ms));
}

TEST_F(OpenDhtDirectoryTest, NeverCallsBackFromInsideTheCall) {
  connect(2);
  bool inside = true;
  unsigned calls = 0;
  directory(1).publish(key(1), value(1));
  const auto called = [&] {
    EXPECT_FALSE(inside);
    ++calls;
  };
  ASSERT_FALSE(world.run_until([] { return false; }, 200ms));
  // The value is stored here too, so OpenDHT itself would call back at once.
  directory(1).lookup(
      key(1), [&](ByteView) { called(); }, [&](bool) { called(); });
  directory(1).listen(key(1), [&](ByteView) { called(); });
  inside = false;
  EXPECT_TRUE(world.run_until([&] { return calls == 3; }));
}

TEST_F(OpenDhtDirectoryTest, MayBeUsedFromItsCallbacks) {
  connect(3);
  LookupResult second;
  Values heard;
  directory(2).listen(key(2), collect(heard));
  directory(1).lookup(
      key(1), [](ByteView) {},
      [&](bool) {
        directory(1).publish(key(2), value(5));
        look_up(directory(1), key(3), second);
        directory(1).withdraw(key(4));
      });
  EXPECT_TRUE(world.run_until([&] { return second.done == 1 && !heard.empty(); }));
}

TEST_F(OpenDhtDirectoryTest, FailsLookupsWithoutANetwork) {
  DhtWorld empty;
  OpenDhtDirectory& alone = *empty.add({.bootstrap = {{"192.0.2.1", 1}}}).directory;
  LookupResult result;
  Instant now = read_monotonic();
  (void)alone.run(now);
  look_up(alone, key(1), result);
  (void)alone.run(now += 1s);
  EXPECT_EQ(result.done, 0u);
  (void)alone.run(now += 5s);
  EXPECT_EQ(result.done, 1u);
  EXPECT_FALSE(result.complete);
  // Cut off for long, it need not wait any more.
  (void)alone.run(now += 10s);
  look_up(alone, key(1), result);
  (void)alone.run(now += 1ms);
  EXPECT_EQ(result.done, 2u);
  EXPECT_FALSE(result.complete);
  EXPECT_EQ(alone.counters().lookups_failed, 2u);
}

TEST_F(OpenDhtDirectoryTest, RefusesMoreThanItsLimits) {
  DhtWorld empty;
  OpenDhtDirectory& alone = *empty.add({.bootstrap = {{"192.0.2.1", 1}}}).directory;
  unsigned done = 0;
  const std::size_t over = 10;
  for (std::size_t i = 0; i < OpenDhtDirectory::kMaxLookups + over; ++i) {
    alone.lookup(
        key(1), [](ByteView) {}, [&](bool) { ++done; });
  }
  for (std::size_t i = 0; i < OpenDhtDirectory::kMaxListeners + over; ++i) {
    alone.listen(key(1), [](ByteView) {});
  }
  for (std::size_t i = 0; i < OpenDhtDirectory::kMaxWaitingPosts + over; ++i) {
    alone.post(key(1), value(1));
  }
  for (std::size_t i = 0; i < OpenDhtDirectory::kMaxPublications + over; ++i) {
    DirectoryKey at;
    store_be(at.bytes.data(), static_cast<std::uint32_t>(i));
    alone.publish(at, value(1));
  }
  EXPECT_EQ(alone.counters().operations_refused, 4 * over);
  (void)alone.run(read_monotonic());
  EXPECT_EQ(done, over);
}

TEST_F(OpenDhtDirectoryTest, TellsWhenItWantsToRun) {
  connect(2);
  const Instant now = read_monotonic();
  const Instant next = directory(1).run(now);
  EXPECT_GE(next, now + 1ms);
  EXPECT_LE(next, now + 250ms);
  EXPECT_EQ(directory(1).due(), next);
  directory(1).publish(key(1), value(1));
  EXPECT_LE(directory(1).due(), now);
}

TEST_F(OpenDhtDirectoryTest, RunsNoThreads) {
  const auto threads = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/task"), {});
  };
  const auto before = threads();
  Values heard;
  connect(3);
  directory(1).publish(key(1), value(1));
  directory(2).listen(key(1), collect(heard));
  ASSERT_TRUE(world.run_until([&] { return !heard.empty(); }));
  EXPECT_EQ(threads(), before);
}

TEST_F(OpenDhtDirectoryTest, ComesBackByNodesItRemembers) {
  const TemporaryDirectory directory_of_test;
  const auto file = directory_of_test.path() / "dht_nodes";
  world.add();
  DhtWorld::Node& node = world.add({.node_cache = file});
  ASSERT_TRUE(world.run_until_all_connected());
  node.directory = nullptr;  // saves
  ASSERT_TRUE(std::filesystem::exists(file));
  world.start(node, {.bootstrap = {{"192.0.2.1", 1}}, .node_cache = file});
  EXPECT_TRUE(world.run_until_all_connected());
  node.directory = nullptr;  // before the directory of its file
  world.start(node);
}

}  // namespace
}  // namespace ipop::overlay
