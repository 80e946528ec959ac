// Many flows over a bad network: what the host gets, cut again, is what came.
#include <gtest/gtest.h>

#include "tests/unit/engine/merging.hpp"

namespace ipop::engine {
namespace {

class BadNetwork {
 public:
  explicit BadNetwork(std::uint64_t seed) : random_(seed) {
    const std::size_t flows = 1 + random_() % 14;
    for (std::size_t i = 0; i < flows; ++i)
      flows_.push_back(new_flow(i));
  }

  std::vector<Arrival> packets(std::size_t count) {
    std::vector<Arrival> all;
    std::size_t flow = 0;
    while (all.size() < count) {
      if (one_in(6)) flow = random_() % flows_.size();
      PacketSpec spec = next(flows_[flow]);
      if (one_in(40)) continue;  // lost
      Arrival made{build(spec), spec.checksum == Checksum::kPartial};
      if (one_in(60)) damage(made, spec);
      if (one_in(60)) all.push_back(made);
      all.push_back(made);
      if (one_in(50) && all.size() > 1) std::swap(all.back(), all[all.size() - 2]);
    }
    return all;
  }

 private:
  struct Flow {
    PacketSpec spec;
    std::size_t size;
    unsigned partial_of_four;
  };

  bool one_in(unsigned n) { return random_() % n == 0; }

  Flow new_flow(std::size_t index) {
    PacketSpec spec{.is_tcp = random_() % 3 != 0,
                    .from_port = static_cast<std::uint16_t>(4000 + index / 2),
                    .traffic_class = static_cast<std::uint8_t>(random_()),
                    .never_cut = one_in(2),
                    .id = static_cast<std::uint16_t>(random_()),
                    .sequence = static_cast<std::uint32_t>(random_())};
    if (one_in(2)) {
      spec.from = ip("fd00::1");
      spec.to = ip("fd00::2");
    }
    if (one_in(2)) spec.tcp_options = Bytes(random_() % 11 * 4, 1);
    const std::size_t sizes[] = {1, 2, 13, 100, 1448, 9000};
    return {spec, sizes[random_() % 6], static_cast<unsigned>(random_() % 5)};
  }

  PacketSpec next(Flow& flow) {
    PacketSpec& base = flow.spec;
    if (one_in(100)) base.acknowledged += 1;
    if (one_in(100)) base.traffic_class ^= 3;
    PacketSpec spec = base;
    const std::size_t size = one_in(30) ? random_() % (flow.size * 2) : flow.size;
    spec.payload = random_payload(random_, size);
    if (one_in(30)) spec.flags |= tcp::kPsh;
    if (one_in(100)) spec.flags = static_cast<std::uint8_t>(random_());
    if (one_in(100)) spec.ip_options = spec.from.is_v4() ? Bytes(4, 1) : Bytes(8, 1);
    if (random_() % 4 < flow.partial_of_four && spec.ip_options.empty()) {
      spec.checksum = Checksum::kPartial;
    } else if (!spec.is_tcp && one_in(50)) {
      spec.checksum = Checksum::kNone;
    }
    base.sequence += static_cast<std::uint32_t>(size);
    ++base.id;
    return spec;
  }

  // One bit anywhere; but of a partial checksum nobody can tell whether it is right.
  void damage(Arrival& made, const PacketSpec& spec) {
    std::size_t at = random_() % std::min<std::size_t>(made.packet.size(), one_in(2) ? 60 : 9000);
    const std::size_t sum = spec.transport_start() + (spec.is_tcp ? 16 : 6);
    if (made.partial && (at == sum || at == sum + 1)) at = 1;
    made.packet[at] ^= static_cast<std::uint8_t>(1u << random_() % 8);
  }

  std::mt19937_64 random_;
  std::vector<Flow> flows_;
};

TEST(CoalescerModel, GivesBackWhatCame) {
  std::size_t packets = 0;
  std::size_t frames = 0;
  std::size_t extended = 0;
  for (std::uint64_t seed = 1; seed <= IPOP_MODEL_SEEDS; ++seed) {
    BadNetwork network(seed);
    Merging merging;
    std::mt19937_64 turns(seed);
    for (const Arrival& each : network.packets(400)) {
      merging.add(each);
      if (turns() % 150 == 0) merging.finish_turn();
    }
    merging.finish_turn();
    ASSERT_EQ(merging.complaint(), "") << "seed " << seed;
    for (const std::size_t count : merging.counts())
      packets += count;
    frames += merging.frames().size();
    extended += merging.extended();
  }
  EXPECT_GT(packets, IPOP_MODEL_SEEDS * 333u);
  EXPECT_GT(extended, packets / 20) << "too few were expected to say anything";
  EXPECT_LT(frames, packets / 3) << "too little was merged to say anything";
}

}  // namespace
}  // namespace ipop::engine
