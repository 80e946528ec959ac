// What strangers in the DHT can do: store anything under our keys, and send anything.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opendht/dht.h>

#include <random>

#include "overlay/directory/dht_message.hpp"
#include "overlay/directory/dht_socket.hpp"
#include "tests/support/dht_world.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;
using testing::Contains;

using Values = std::vector<DirectoryValue>;

const DirectoryKey kKey{{1, 2, 3}};
const dht::InfoHash kHash(kKey.bytes.data(), kKey.bytes.size());

DirectoryValue value(std::uint8_t number) {
  return DirectoryValue(300, number);
}

Directory::OnValue collect(Values& into) {
  return [&into](ByteView bytes) { into.emplace_back(bytes.begin(), bytes.end()); };
}

// A stranger who uses OpenDHT as he likes.
class Stranger {
 public:
  explicit Stranger(DhtWorld& world) : at_(DhtWorld::endpoint(1000)) {
    dht::Config config;
    config.node_id = dht::InfoHash::getRandom();
    config.network = 5;
    dht_ = std::make_unique<dht::Dht>(
        std::make_unique<DhtSocket>(
            [this, &world](const Endpoint& to, ByteView bytes) { world.send(at_, to, bytes); },
            true, false),
        config, std::shared_ptr<dht::Logger>());
    world.attach(at_, [this](const Endpoint& from, ByteView bytes) {
      dht_->periodic(bytes.data(), bytes.size(), to_dht(from), dht::clock::now());
    });
    dht_->pingNode(to_dht(DhtWorld::endpoint(0)), [this](bool answered) { joined_ = answered; });
  }

  // True once joined. To be called all the time.
  bool run() {
    dht_->periodic(nullptr, 0, dht::SockAddr(), dht::clock::now());
    return joined_;
  }
  void put(dht::Value value) {
    value.id = ++id_;
    dht_->put(kHash, std::move(value), [this](bool) { ++stored_; });
  }
  [[nodiscard]] std::size_t stored() const { return stored_; }

 private:
  Endpoint at_;
  std::unique_ptr<dht::Dht> dht_;
  bool joined_ = false;
  std::size_t stored_ = 0;
  std::uint64_t id_ = 0;
};

dht::Value plain(std::size_t size, std::uint32_t number) {
  dht::Blob bytes(std::max<std::size_t>(size, 4));
  store_be(bytes.data(), number);
  return dht::Value(std::move(bytes));
}

struct OpenDhtHostile : testing::Test {
  DhtWorld world{1ms};
  std::unique_ptr<Stranger> stranger;

  void SetUp() override {
    for (int i = 0; i < 3; ++i)
      world.add();
    stranger = std::make_unique<Stranger>(world);
    ASSERT_TRUE(world.run_until_all_connected());
    ASSERT_TRUE(until([] { return true; }));
  }
  OpenDhtDirectory& directory(std::size_t n) { return *world.nodes()[n]->directory; }
  bool until(const std::function<bool()>& done, Duration limit = 20s) {
    return world.run_until([&] { return stranger->run() && done(); }, limit);
  }
};

TEST_F(OpenDhtHostile, ValuesThatIpopNeverStoresAreCountedAndDropped) {
  dht::Value typed = plain(100, 1);
  typed.type = 3;
  dht::Value named = plain(100, 2);
  named.user_type = "text/plain";
  stranger->put(std::move(typed));
  stranger->put(std::move(named));
  stranger->put(plain(1201, 3));
  stranger->put(plain(30'000, 4));
  ASSERT_TRUE(until([&] { return stranger->stored() == 4; }));

  Values found;
  unsigned done = 0;
  const auto ask = [&] { directory(2).lookup(kKey, collect(found), [&](bool) { ++done; }); };
  ask();
  ASSERT_TRUE(until([&] { return done == 1; }));
  EXPECT_TRUE(found.empty());
  EXPECT_GE(directory(2).counters().values_unfit, 3u);

  directory(1).publish(kKey, value(9));
  ASSERT_TRUE(until([&] {
    if (done % 2 == 1) {
      ++done;
      ask();
    }
    return !found.empty();
  }));
  EXPECT_EQ(found, Values{value(9)});
}

TEST_F(OpenDhtHostile, AThousandValuesUnderOurKeyAreBoundedAndOursComesThrough) {
  constexpr std::uint32_t kFlood = 1000;
  Values heard;
  directory(2).listen(kKey, collect(heard));
  for (std::uint32_t i = 0; i < kFlood; ++i)
    stranger->put(plain(200, i));
  ASSERT_TRUE(until([&] { return stranger->stored() >= kFlood; }, 40s));
  directory(1).publish(kKey, value(9));
  EXPECT_TRUE(until([&] { return std::ranges::find(heard, value(9)) != heard.end(); }, 40s));

  Values found;
  bool done = false;
  const auto before = directory(0).counters().values_passed;
  directory(0).lookup(kKey, collect(found), [&](bool) { done = true; });
  ASSERT_TRUE(until([&] { return done; }));
  EXPECT_LE(found.size(), ValueGate::kBurst + 10 * ValueGate::kPerSecond);
  EXPECT_EQ(directory(0).counters().values_passed - before, found.size());
}

TEST_F(OpenDhtHostile, DatagramsOfAnyBytesAreSurvived) {
  std::mt19937_64 random(7);
  OpenDhtDirectory& victim = directory(1);
  const Endpoint from = DhtWorld::endpoint(77);
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::uint8_t> bytes(random() % 200);
    for (std::uint8_t& byte : bytes)
      byte = static_cast<std::uint8_t>(random());
    if (!bytes.empty() && i % 2 == 0) bytes[0] = static_cast<std::uint8_t>(0x80 | (i % 16));
    victim.on_datagram(from, bytes, read_monotonic());
    if (i % 100 == 0) (void)victim.run(read_monotonic());
  }
  EXPECT_GE(victim.counters().datagrams_refused, 8'000u);
  Values heard;
  victim.listen(kKey, collect(heard));
  directory(2).publish(kKey, value(1));
  EXPECT_TRUE(until([&] { return !heard.empty(); }));
}

TEST_F(OpenDhtHostile, RealDatagramsWithDamageAreSurvived) {
  std::mt19937_64 random(8);
  std::vector<std::vector<std::uint8_t>> seen;
  const Endpoint spy = DhtWorld::endpoint(78);
  // What node 1 answers to real requests is not needed: node 2's own traffic is the sample.
  world.attach(DhtWorld::endpoint(0), [&](const Endpoint&, ByteView bytes) {
    if (seen.size() < 200) seen.emplace_back(bytes.begin(), bytes.end());
  });
  Values heard;
  directory(2).listen(kKey, collect(heard));
  directory(2).publish(kKey, value(1));
  ASSERT_TRUE(until([&] { return seen.size() >= 5 && !heard.empty(); }));
  for (int i = 0; i < 20'000; ++i) {
    std::vector<std::uint8_t> bytes = seen[random() % seen.size()];
    for (std::size_t n = 0; n <= random() % 4; ++n) {
      bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
    }
    if (random() % 4 == 0) bytes.resize(random() % bytes.size());
    directory(1).on_datagram(spy, bytes, read_monotonic());
    if (i % 100 == 0) (void)directory(1).run(read_monotonic());
  }
  directory(2).publish(kKey, value(2));
  EXPECT_TRUE(until([&] { return heard.size() >= 2; }));
}

TEST_F(OpenDhtHostile, AFloodOfDatagramsIsBounded) {
  OpenDhtDirectory& victim = directory(1);
  // A ping: {"a": {"id": 20 bytes}, "q": "ping", "t": 1, "y": "q", "v": "RNG1", "n": 5}
  std::vector<std::uint8_t> bytes{0x86, 0xa1, 'a', 0x81, 0xa2, 'i', 'd', 0xc4, 20};
  bytes.insert(bytes.end(), 20, 7);
  for (const char byte :
       std::string_view("\xa1q\xa4ping\xa1t\x01\xa1y\xa1q\xa1v\xa4RNG1\xa1n\x05")) {
    bytes.push_back(static_cast<std::uint8_t>(byte));
  }
  ASSERT_TRUE(is_dht_message(bytes));
  const Instant now = read_monotonic();
  for (int i = 0; i < 50'000; ++i)
    victim.on_datagram(DhtWorld::endpoint(79), bytes, now);
  EXPECT_GE(victim.counters().datagrams_refused, 44'000u);
}

}  // namespace
}  // namespace ipop::overlay
