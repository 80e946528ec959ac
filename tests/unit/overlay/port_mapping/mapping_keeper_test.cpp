#include "overlay/port_mapping/mapping_keeper.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr std::uint16_t kPort = 4545;
const IpAddress kOutside = IpAddress::v4(0x09000002);  // 9.0.0.2
const Route kHome{IpAddress::v4(0xc0a80101), IpAddress::v4(0xc0a8010a)};

Instant at(Duration since_start) {
  return Instant{1h} + since_start;
}

// A router that does what a test wants, by one protocol.
class FakeRouter final : public MappingProtocol {
 public:
  explicit FakeRouter(std::string_view name, Duration life = 2h) : name_(name), life_(life) {}

  [[nodiscard]] std::string_view name() const noexcept override { return name_; }
  [[nodiscard]] Duration usual_life() const noexcept override { return life_; }
  [[nodiscard]] std::expected<Grant, MapFailure> map(const MapRequest& request) override {
    asked.push_back(request);
    if (!there) return std::unexpected(MapFailure{MapError::kNoAnswer, "no answer"});
    if (std::ranges::find(taken, request.outer_port) != taken.end())
      return std::unexpected(MapFailure{MapError::kTaken, "taken"});
    if (only_permanent && request.life != Duration::zero())
      return std::unexpected(MapFailure{MapError::kOnlyPermanent, "permanent leases only"});
    if (!refuses.empty()) return std::unexpected(MapFailure{MapError::kRefused, refuses});
    return Grant{{outside, port.value_or(request.outer_port)}, grants.value_or(request.life)};
  }
  [[nodiscard]] std::expected<std::optional<IpAddress>, MapFailure> check(
      const MapRequest&) override {
    ++checks;
    if (!there) return std::unexpected(MapFailure{MapError::kNoAnswer, "no answer"});
    if (forgot) return std::nullopt;
    return outside;
  }
  void unmap(const MapRequest& request) override { given_back.push_back(request); }

  bool there = true;
  bool forgot = false;
  bool only_permanent = false;
  std::string refuses;
  std::vector<std::uint16_t> taken;
  IpAddress outside = kOutside;
  std::optional<std::uint16_t> port;
  std::optional<Duration> grants;
  std::vector<MapRequest> asked;
  std::vector<MapRequest> given_back;
  unsigned checks = 0;

 private:
  const std::string_view name_;
  const Duration life_;
};

class MappingKeeperTest : public ::testing::Test {
 protected:
  // Services whatever falls due up to then.
  void run_until(Duration time) {
    while (keeper_.deadline() <= at(time)) {
      const Instant due = keeper_.deadline();
      keeper_.service(due);
      ASSERT_GT(keeper_.deadline(), due);
    }
  }
  void start() {
    keeper_.set_route(kHome, at(0s));
    run_until(0s);
  }
  [[nodiscard]] const PortMapping& state() const { return keeper_.state(); }

  FakeRouter pmp_{"nat-pmp"};
  FakeRouter upnp_{"upnp", 1h};
  MappingKeeper keeper_{{&pmp_, &upnp_}, kPort};
};

TEST_F(MappingKeeperTest, MapsTheWiresPortByTheFirstProtocolThatAnswers) {
  start();
  EXPECT_TRUE(state().usable());
  EXPECT_EQ(state().protocol, "nat-pmp");
  EXPECT_EQ(state().outside, (Endpoint{kOutside, kPort}));
  EXPECT_EQ(state().expires, at(2h));
  ASSERT_EQ(pmp_.asked.size(), 1u);
  EXPECT_EQ(pmp_.asked[0].route, kHome);
  EXPECT_EQ(pmp_.asked[0].inner_port, kPort);
  EXPECT_EQ(pmp_.asked[0].outer_port, kPort);
  EXPECT_TRUE(upnp_.asked.empty());
}

TEST_F(MappingKeeperTest, TriesTheNextProtocolWhereTheFirstIsSilentOrRefuses) {
  pmp_.refuses = "not authorized";
  start();
  EXPECT_TRUE(state().usable());
  EXPECT_EQ(state().protocol, "upnp");
  EXPECT_EQ(state().expires, at(1h));
}

TEST_F(MappingKeeperTest, AsksLessAndLessOftenWhereNobodyAnswers) {
  pmp_.there = upnp_.there = false;
  start();
  EXPECT_FALSE(state().usable());
  EXPECT_EQ(state().why, "no gateway answers");
  const Duration pauses[] = {1min, 2min, 4min, 8min, 16min, 30min, 30min};
  Instant last = at(0s);
  for (const Duration pause : pauses) {
    EXPECT_EQ(keeper_.deadline() - last, pause);
    last = keeper_.deadline();
    keeper_.service(last);
  }
  EXPECT_EQ(upnp_.asked.size(), 1 + std::size(pauses));
  // And takes it when somebody does.
  upnp_.there = true;
  keeper_.service(keeper_.deadline());
  EXPECT_EQ(state().protocol, "upnp");
}

TEST_F(MappingKeeperTest, SaysWhoRefusedRatherThanWhoWasSilent) {
  pmp_.there = false;
  upnp_.refuses = "the gateway refuses: not authorized (606)";
  start();
  EXPECT_EQ(state().why, "upnp: the gateway refuses: not authorized (606)");
  EXPECT_EQ(keeper_.deadline(), at(1min));
}

TEST_F(MappingKeeperTest, TriesTheNextPortsWhereItsOwnIsTaken) {
  pmp_.there = false;
  upnp_.taken = {4545, 4546};
  start();
  EXPECT_EQ(state().outside, (Endpoint{kOutside, 4547}));
  EXPECT_EQ(upnp_.asked.back().inner_port, kPort);
  keeper_.release();
  ASSERT_EQ(upnp_.given_back.size(), 1u);
  EXPECT_EQ(upnp_.given_back[0].outer_port, 4547);
}

TEST_F(MappingKeeperTest, GivesUpWhereAllPortsAreTaken) {
  pmp_.there = false;
  upnp_.taken = {4545, 4546, 4547, 4548, 4549};
  start();
  EXPECT_EQ(upnp_.asked.size(), 5u);
  EXPECT_EQ(state().why, "upnp: port 4545 and its neighbours are taken by others");
}

TEST_F(MappingKeeperTest, TakesThePortThatTheRouterChooses) {
  pmp_.port = 61000;
  start();
  EXPECT_EQ(state().outside, (Endpoint{kOutside, 61000}));
  run_until(1h);
  EXPECT_EQ(pmp_.asked.back().outer_port, 61000) << "the same is asked for again";
}

TEST_F(MappingKeeperTest, RenewsAtHalfOfTheLife) {
  pmp_.grants = 10min;
  start();
  EXPECT_EQ(state().expires, at(10min));
  run_until(5min - 1s);
  EXPECT_EQ(pmp_.asked.size(), 1u);
  EXPECT_EQ(pmp_.checks, 4u);
  run_until(5min);
  EXPECT_EQ(pmp_.asked.size(), 2u);
  EXPECT_EQ(state().expires, at(15min));
}

TEST_F(MappingKeeperTest, LosesWhatItCannotRenewInTime) {
  pmp_.grants = 10s;
  start();
  pmp_.there = upnp_.there = false;
  run_until(9s);
  EXPECT_TRUE(state().usable());
  run_until(10s);
  EXPECT_FALSE(state().usable());
  EXPECT_EQ(state().why, "no gateway answers");
}

TEST_F(MappingKeeperTest, KeepsTryingToRenew) {
  pmp_.grants = 2min;
  start();
  pmp_.there = upnp_.there = false;
  run_until(1min + 49s);
  EXPECT_TRUE(state().usable());
  EXPECT_EQ(pmp_.asked.size(), 1 + 5u);
  pmp_.there = true;
  run_until(1min + 50s);
  EXPECT_EQ(state().expires, at(3min + 50s));
}

TEST_F(MappingKeeperTest, AsksAnewAtOnceWhenTheRouterHasForgotten) {
  start();
  pmp_.forgot = true;
  pmp_.outside = IpAddress::v4(0x09000003);
  run_until(1min);
  EXPECT_EQ(pmp_.asked.size(), 2u);
  EXPECT_EQ(state().outside, (Endpoint{pmp_.outside, kPort}));
}

TEST_F(MappingKeeperTest, FollowsTheRoutersOutsideAddress) {
  start();
  pmp_.outside = IpAddress::v4(0x09000003);
  run_until(1min);
  EXPECT_EQ(state().outside, (Endpoint{pmp_.outside, kPort}));
  EXPECT_EQ(pmp_.asked.size(), 1u);
}

TEST_F(MappingKeeperTest, CountsAMappingAsGoneWhenTheRouterStaysSilent) {
  start();
  pmp_.there = upnp_.there = false;
  run_until(1min + 49s);
  EXPECT_TRUE(state().usable()) << "five questions without an answer";
  run_until(1min + 50s);
  EXPECT_FALSE(state().usable());
}

TEST_F(MappingKeeperTest, LooksAfterTheMappingAtOnceWhenTheNetworkChanges) {
  start();
  pmp_.forgot = true;
  keeper_.set_route(kHome, at(1s));
  run_until(2s);
  EXPECT_EQ(pmp_.checks, 0u) << "it was there two seconds ago";
  run_until(3s);
  EXPECT_EQ(pmp_.checks, 1u);
  EXPECT_EQ(pmp_.asked.size(), 2u);
}

TEST_F(MappingKeeperTest, AsksAgainWhenTheNetworkChangesButNotInARow) {
  pmp_.there = upnp_.there = false;
  start();
  run_until(10min);
  EXPECT_EQ(keeper_.deadline(), at(15min));
  keeper_.set_route(kHome, at(10min));
  EXPECT_EQ(keeper_.deadline(), at(10min));
  run_until(10min);
  for (int i = 0; i < 100; ++i)
    keeper_.set_route(kHome, at(10min + 10ms));
  EXPECT_EQ(keeper_.deadline(), at(11min));
}

TEST_F(MappingKeeperTest, LetsGoOfThePortWhenItsOwnAddressChanges) {
  start();
  const Route moved{kHome.gateway, IpAddress::v4(0xc0a80163)};
  keeper_.set_route(moved, at(10s));
  EXPECT_FALSE(state().usable());
  ASSERT_EQ(pmp_.given_back.size(), 1u);
  EXPECT_EQ(pmp_.given_back[0].route, kHome);
  run_until(10s);
  EXPECT_EQ(pmp_.asked.back().route, moved);
  EXPECT_TRUE(state().usable());
}

TEST_F(MappingKeeperTest, ForgetsTheRouterOfANetworkThatItHasLeft) {
  start();
  keeper_.set_route(Route{IpAddress::v4(0x0a000001), IpAddress::v4(0x0a000002)}, at(10s));
  EXPECT_TRUE(pmp_.given_back.empty());
  EXPECT_FALSE(state().usable());
}

TEST_F(MappingKeeperTest, AsksNobodyWithoutADefaultRoute) {
  keeper_.set_route(std::nullopt, at(0s));
  EXPECT_EQ(keeper_.deadline(), Instant::max());
  EXPECT_EQ(state().why, "there is no default route, and so no router to ask");
}

TEST_F(MappingKeeperTest, AsksNobodyWithAPublicAddressOfItsOwn) {
  keeper_.set_route(Route{IpAddress::v4(0x09000001), kOutside}, at(0s));
  EXPECT_EQ(keeper_.deadline(), Instant::max());
  EXPECT_EQ(state().why, "no need: the own address, 9.0.0.2, is public");
}

TEST_F(MappingKeeperTest, TakesALeaseWithoutAnEndWhereThereIsNoOther) {
  pmp_.there = false;
  upnp_.only_permanent = true;
  start();
  EXPECT_TRUE(state().usable());
  EXPECT_FALSE(state().expires);
  EXPECT_EQ(upnp_.asked.size(), 2u);
  run_until(24h);
  EXPECT_EQ(upnp_.asked.size(), 2u) << "nothing to renew";
  EXPECT_GT(upnp_.checks, 1000u);
  upnp_.forgot = true;
  run_until(24h + 1min);
  EXPECT_EQ(upnp_.asked.size(), 4u);
  keeper_.release();
  EXPECT_EQ(upnp_.given_back.size(), 1u);
}

TEST_F(MappingKeeperTest, KeepsButDoesNotOfferAnOutsideThatIsPrivate) {
  pmp_.outside = IpAddress::v4(0x64400001);  // 100.64.0.1, of a carrier's NAT
  start();
  EXPECT_FALSE(state().usable());
  EXPECT_EQ(state().protocol, "nat-pmp");
  EXPECT_EQ(state().why, "its outside, 100.64.0.1, is private: another NAT is behind it");
  run_until(1h);
  EXPECT_EQ(pmp_.asked.size(), 2u);
  keeper_.release();
  EXPECT_EQ(pmp_.given_back.size(), 1u);
}

TEST_F(MappingKeeperTest, BelievesNoImpossibleAddress) {
  for (const std::uint32_t address :
       {0u, 0x00000001u, 0x7f000001u, 0xe0000001u, 0xffffffffu, 0xa9fe0001u, 0xf0000001u}) {
    EXPECT_NE(why_not_outside(IpAddress::v4(address)), "") << IpAddress::v4(address).to_string();
  }
  EXPECT_NE(why_not_outside(*IpAddress::parse("2001:db8::1")), "");
  EXPECT_EQ(why_not_outside(kOutside), "");
  pmp_.outside = IpAddress::v4(0x7f000001);
  start();
  EXPECT_FALSE(state().usable());
  EXPECT_EQ(state().why, "it says that its outside is 127.0.0.1, which cannot be");
}

TEST_F(MappingKeeperTest, TakesNoPort0AndNoLifeOfZero) {
  pmp_.port = 0;
  upnp_.grants = 0s;
  start();
  EXPECT_FALSE(state().outside);
  EXPECT_EQ(state().why, "nat-pmp: it grants port 0, which cannot be");
}

TEST_F(MappingKeeperTest, LosesAMappingThatIsRenewedForPort0) {
  start();
  pmp_.port = 0;
  run_until(1h);
  EXPECT_EQ(state().protocol, "upnp");
}

TEST_F(MappingKeeperTest, IsNotKeptBusyByShortLivesNorKeptWaitingByLongOnes) {
  pmp_.grants = 1s;
  start();
  run_until(60s);
  EXPECT_EQ(pmp_.asked.size(), 31u);
  pmp_.grants = std::chrono::seconds(0xffffffff);
  run_until(62s);
  EXPECT_EQ(state().expires, at(62s) + 2h);
}

TEST_F(MappingKeeperTest, StaysBelowTheLastPort) {
  MappingKeeper high({&upnp_}, 65535);
  upnp_.taken = {65535};
  high.set_route(kHome, at(0s));
  high.service(at(0s));
  EXPECT_EQ(high.state().outside, (Endpoint{kOutside, 65534}));
}

TEST_F(MappingKeeperTest, GivesBackNothingThatItDoesNotHave) {
  pmp_.there = upnp_.there = false;
  start();
  keeper_.release();
  EXPECT_TRUE(pmp_.given_back.empty());
  EXPECT_TRUE(upnp_.given_back.empty());
}

}  // namespace
}  // namespace ipop::overlay
