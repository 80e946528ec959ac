// What the lcore's last step sends, and what it must not.
#include "engine/path/wire_batch.hpp"

#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "engine/path/data_header.hpp"
#include "engine/path/packet.hpp"
#include "engine/port/memory_port.hpp"
#include "tests/unit/engine/packets.hpp"

namespace ipop::engine {
namespace {

// Refuses every other job and leaves its plaintext as it is.
class HalfAead final : public AeadEngine {
 public:
  void expand(AeadSuite, const Secret<32>&, AeadKey&) const override {}
  void seal_burst(std::span<AeadJob> jobs) noexcept override {
    for (AeadJob& job : jobs)
      job.ok = ++seen_ % 2 == 0;
  }
  void open_burst(std::span<AeadJob>) noexcept override {}
  [[nodiscard]] std::string_view name() const noexcept override { return "half"; }
  [[nodiscard]] std::uint8_t suites() const noexcept override { return 0; }

 private:
  unsigned seen_ = 0;
};

TEST(WireBatch, NeverSendsWhatWasNotSealed) {
  start_eal_for({});
  Mempool pool({.packets = 127});
  MemoryWirePort wire;
  HalfAead aead;
  LcoreCounters counters;
  WireBatch batch(wire, aead, pool.get(), counters);
  Session session;
  const Endpoint to = endpoint("192.0.2.2:4545");
  const Instant now{std::chrono::hours(1)};
  const auto packet_of_size = [&](std::uint32_t size) {
    rte_mbuf* const packet = rte_pktmbuf_alloc(pool.get());
    set_length(packet, size);
    meta(packet).endpoint = to;
    return packet;
  };
  // Sealed ones with counters 0 to 3 and odd lengths, and datagrams that are ready between them.
  for (std::uint32_t i = 0; i < 4; ++i) {
    batch.send(packet_of_size(500 + i));
    batch.seal(packet_of_size(100 + i), session, to, 1400, now);
  }
  batch.flush();

  std::vector<std::uint32_t> sizes;
  rte_mbuf* packet = nullptr;
  while (wire.out().pop({&packet, 1}) == 1) {
    sizes.push_back(packet->pkt_len);
    rte_pktmbuf_free(packet);
  }
  const std::uint32_t overhead = kDataHeader + kTagSize;
  EXPECT_EQ(sizes,
            (std::vector<std::uint32_t>{500, 501, 101 + overhead, 502, 503, 103 + overhead}));
  EXPECT_EQ(counters.fates[static_cast<std::size_t>(Fate::kSent)].get(), 6u);
  EXPECT_EQ(counters.fates[static_cast<std::size_t>(Fate::kDropWireFull)].get(), 2u);
  EXPECT_EQ(pool.available(), pool.size());
}

}  // namespace
}  // namespace ipop::engine
