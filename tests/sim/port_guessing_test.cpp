// Ends whose NATs map each destination to another port, and yet get a direct path: by guessing.
#include <algorithm>
#include <set>

#include "tests/sim/nat_world.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;
using overlay::PathKind;

constexpr NatKind kCarrier{"symmetric_of_2048", true, By::kEndpoint, By::kEndpoint, {30000, 32047}};
constexpr NatKind kUpwards{"symmetric_steps_1", true, By::kEndpoint, By::kEndpoint, {.step = 1}};
constexpr NatKind kDownwards{
    "symmetric_steps_-2", true, By::kEndpoint, By::kEndpoint, {.step = -2}};

constexpr int kRuns = IPOP_MANY_NODES < 200 ? 2 : 10;

PathKind path(const Node& at, const char* of) {
  return at.peer(of)->path;
}

bool both_direct(const Node& a, const Node& b) {
  return path(a, kBob) == PathKind::kDirect && path(b, kAlice) == PathKind::kDirect;
}

struct Pair {
  NatKind left;
  NatKind right;

  friend void PrintTo(const Pair& pair, std::ostream* out) {
    *out << pair.left.name << "_" << pair.right.name;
  }
};

class PortGuessing : public testing::TestWithParam<Pair> {};

// With packets both ways all the time, of which none is lost.
TEST_P(PortGuessing, FindsADirectPathInTwentySeconds) {
  int direct = 0;
  std::ptrdiff_t lost = 0;
  for (int run = 0; run < kRuns; ++run) {
    NatWorld in;
    const auto [a, b] = in.meet(GetParam().left, GetParam().right);
    std::vector<std::pair<Node*, std::uint32_t>> sent;
    const Instant end = in.world.now + 20s;
    while (!both_direct(a, b) && in.world.now < end) {
      sent.emplace_back(&b, a.send(kBob));
      sent.emplace_back(&a, b.send(kAlice));
      in.world.run_for(100ms);
    }
    direct += both_direct(a, b);
    for (int i = 0; i < 20; ++i) {
      sent.emplace_back(&b, a.send(kBob));
      sent.emplace_back(&a, b.send(kAlice));
      in.world.run_for(100ms);
    }
    in.world.run_for(2s);
    lost += std::ranges::count_if(
        sent, [](const auto& each) { return !each.first->received(each.second); });
    if (!both_direct(a, b)) continue;
    // What is not in use is closed.
    in.world.run_for(5s);
    EXPECT_LE(a.engine.sockets() + b.engine.sockets(), 1u);
    EXPECT_EQ(a.peer(kBob)->why, "it answers at this endpoint");
  }
  EXPECT_GE(direct, kRuns - (kRuns + 9) / 10) << "of " << kRuns;
  EXPECT_EQ(lost, 0);
}

INSTANTIATE_TEST_SUITE_P(
    Nats, PortGuessing,
    testing::Values(Pair{kSymmetric, kPortRestricted}, Pair{kPortRestricted, kSymmetric},
                    Pair{kCarrier, kPortRestricted}, Pair{kUpwards, kPortRestricted},
                    Pair{kPortRestricted, kDownwards}, Pair{kUpwards, kDownwards}),
    [](const auto& test) {
      std::string name = std::string(test.param.left.name) + "_" + test.param.right.name;
      std::ranges::replace(name, '-', 'm');
      return name;
    });

}  // namespace
}  // namespace ipop::sim
