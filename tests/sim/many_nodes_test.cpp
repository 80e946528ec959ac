// Many nodes that join at once, behind NATs of all kinds: everybody reaches everybody, and what it
// costs a node does not grow with their number.
#include <fmt/format.h>

#include <random>

#include "tests/sim/nat_world.hpp"

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;
using overlay::PathKind;

struct Cost {
  double datagrams = 0;  // sent in a minute, a node
  double peers = 0;      // known at its end
  double sessions = 0;
  double labels = 0;
  std::size_t most_labels = 0;  // of one node
};

std::string inner(unsigned i) {
  return fmt::format("10.7.{}.{}", i / 200, i % 200 + 1);
}

// `count` nodes, of which one in ten has no NAT; each sends to `kFriends` others.
constexpr unsigned kFriends = 3;

Cost join_at_once(unsigned count) {
  World world;
  std::mt19937 random(count);
  const Endpoint stun[] = {*Endpoint::parse("198.51.0.1:4545"),
                           *Endpoint::parse("198.51.1.1:4545")};
  std::vector<Node*> nodes;
  for (unsigned i = 0; i < count; ++i) {
    NodeOptions options{.name = fmt::format("n{}", i),
                        .address = inner(i) + "/16",
                        .underlay = {"10.0.1.1/24"},
                        .stun = {stun[0], stun[1]}};
    const NatKind& kind = i % 10 == 0 ? kNone : kKinds[1 + i % 4];
    if (kind.is_nat) {
      options.nat = &world.add_nat(fmt::format("203.{}.{}.1", i / 250, i % 250), kind.mapping,
                                   kind.filtering);
    } else {
      options.underlay = {fmt::format("198.51.{}.1/24", i / 10)};
    }
    nodes.push_back(&world.add(options));
  }
  world.run_for(3s);
  struct Packet {
    Node* from;
    unsigned to;
    std::uint32_t number;
  };
  std::vector<Packet> packets;
  for (unsigned i = 0; i < count; ++i) {
    for (unsigned k = 0; k < kFriends; ++k) {
      const auto to = static_cast<unsigned>(random() % count);
      if (to != i) packets.push_back({nodes[i], to, nodes[i]->send(inner(to))});
    }
  }
  world.run_for(2s);
  unsigned relayed = 0;
  for (const Packet& packet : packets) {
    EXPECT_TRUE(nodes[packet.to]->received(packet.number))
        << packet.from->options.name << " to " << nodes[packet.to]->options.name;
    const auto* const peer = packet.from->peer(inner(packet.to));
    if (peer != nullptr && peer->path == PathKind::kRelay) ++relayed;
  }
  EXPECT_GT(relayed, 0u);
  EXPECT_LT(relayed, packets.size() / 2);
  const std::uint64_t before = world.datagrams;
  world.run_for(1min);
  Cost cost{.datagrams = static_cast<double>(world.datagrams - before) / count};
  for (const Node* node : nodes) {
    cost.peers += static_cast<double>(node->overlay->peers().size()) / count;
    cost.sessions += static_cast<double>(node->engine.sessions()) / count;
    cost.labels += static_cast<double>(node->engine.labels()) / count;
    cost.most_labels = std::max(cost.most_labels, node->engine.labels());
  }
  fmt::print(
      "{:>4} nodes: {:.0f} datagrams a minute, {:.1f} peers, {:.1f} sessions, {:.1f} labels "
      "(at most {}) a node; {} of {} pairs relayed\n",
      count, cost.datagrams, cost.peers, cost.sessions, cost.labels, cost.most_labels, relayed,
      packets.size());
  return cost;
}

// Beyond a hundred nodes or so; under a sanitizer there are fewer, and it is only that they meet.
TEST(ManyNodes, ReachEachOtherAtACostThatDoesNotGrowWithThem) {
  const Cost few = join_at_once(IPOP_MANY_NODES / 2);
  const Cost many = join_at_once(IPOP_MANY_NODES);
  if (IPOP_MANY_NODES < 200) return;
  EXPECT_LT(many.datagrams, 1.5 * few.datagrams);
  EXPECT_LT(many.peers, 1.5 * few.peers);
  EXPECT_LT(many.sessions, 1.5 * few.sessions);
  EXPECT_LT(many.labels, 1.5 * few.labels);
}

}  // namespace
}  // namespace ipop::sim
