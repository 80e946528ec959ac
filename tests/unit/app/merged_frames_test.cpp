// Frames as the engine merges them, written to a real tap in a network namespace of its own: where
// engine and kni meet.
#include <gtest/gtest.h>

#include <array>
#include <optional>

#include "engine/engine.hpp"
#include "engine/path/coalesce.hpp"
#include "kni/host_link.hpp"
#include "kni/tap_port.hpp"
#include "tests/unit/engine/transport_packets.hpp"
#include "tests/unit/kni/private_network.hpp"

namespace ipop::app {
namespace {

using engine::Bytes;
using engine::ip;
using engine::PacketSpec;

struct Side {
  const char *own, *peer;
};
constexpr Side kSides[] = {{"192.168.10.10", "192.168.10.20"}, {"fd00:10::10", "fd00:10::20"}};

class MergedFrames : public kni::testing::PrivateNetwork {
 protected:
  void SetUp() override {
    PrivateNetwork::SetUp();
    if (HasFatalFailure()) return;
    engine::start_eal_for({});
    pool_.emplace(engine::PoolSettings{.packets = 127});
    link_.emplace(kni::HostLinkSettings{
        .mtu = 1300, .addresses = {{ip("192.168.10.10"), 24}, {ip("fd00:10::10"), 64}}});
    const kni::Tap& tap = link_->tap();
    port_.emplace(link_->tap().queues.front().get(), link_->mac(), link_->own_addresses(),
                  engine::HostOffloads{.tcp = tap.tcp_segments, .udp = tap.udp_segments});
  }

  // Whatever the kernel has to say.
  void read_all() {
    std::array<rte_mbuf*, engine::kBurst> packets;
    while (const std::uint16_t count = port_->rx_burst(pool_->get(), packets))
      rte_pktmbuf_free_bulk(packets.data(), count);
  }

  std::optional<engine::Mempool> pool_;
  std::optional<kni::HostLink> link_;
  std::optional<kni::TapPort> port_;
};

// A frame that the kernel refuses would hold up those behind it. So it must take all that the
// coalescer makes of what peers may send, however odd.
TEST_F(MergedFrames, AreAllTakenByTheKernel) {
  std::mt19937_64 random(20'26);
  engine::Coalescer coalescer(port_->offloads());
  std::size_t merged = 0;
  for (int turn = 0; turn < 200; ++turn) {
    PacketSpec spec;
    std::vector<Bytes> buffers(random() % 60);
    for (Bytes& packet : buffers) {
      const auto one_in = [&](unsigned n) { return random() % n == 0; };
      if (one_in(15)) {
        const Side& side = kSides[random() % 2];
        spec = {.from = ip(side.peer), .to = ip(side.own), .is_tcp = one_in(2)};
        if (one_in(2)) spec.tcp_options = Bytes(random() % 11 * 4, 1);
        spec.payload = engine::random_payload(random, random() % (one_in(3) ? 9000 : 1300));
        spec.checksum = one_in(2) ? engine::Checksum::kPartial : engine::Checksum::kWhole;
      }
      PacketSpec next = spec;
      if (one_in(20)) next.flags = static_cast<std::uint8_t>(random());
      if (one_in(20)) next.payload.resize(random() % (spec.payload.size() + 1));
      packet = engine::build(next);
      if (one_in(20))
        packet[random() % std::min<std::size_t>(packet.size(), 48)] ^=
            static_cast<std::uint8_t>(random());
      const auto inner = engine::parse_inner(packet);
      const bool partial = next.checksum == engine::Checksum::kPartial;
      spec.sequence += static_cast<std::uint32_t>(next.payload.size());
      // As the engine asks before.
      if (!inner || (partial && !engine::parse_transport(packet, *inner))) continue;
      packet.insert(packet.begin(), 14, 0);
      const engine::Transport transport =
          engine::parse_transport(ByteView(packet).subspan(14, inner->total_length), *inner);
      coalescer.add(packet.data() + 14, *inner, transport, partial);
    }
    const auto frames = coalescer.finish();
    for (const engine::HostFrame& frame : frames)
      merged += frame.packets > 1;
    ASSERT_EQ(port_->tx_burst(frames).refused, 0u) << "turn " << turn;
    coalescer.clear();
    read_all();
  }
  EXPECT_EQ(port_->counters().errors, 0u);
  EXPECT_GT(merged, 200u);
}

}  // namespace
}  // namespace ipop::app
