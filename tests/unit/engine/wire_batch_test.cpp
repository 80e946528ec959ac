// What the lcore's last step sends, and what it must not.
#include "engine/path/wire_batch.hpp"

#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "engine/path/data_header.hpp"
#include "engine/path/packet.hpp"
#include "engine/port/memory_port.hpp"
#include "tests/unit/engine/transport_packets.hpp"

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

// Refuses one job, the `which`th.
class FailingAead final : public AeadEngine {
 public:
  explicit FailingAead(unsigned which) : left_(which) {}
  void expand(AeadSuite, const Secret<32>&, AeadKey&) const override {}
  void seal_burst(std::span<AeadJob> jobs) noexcept override {
    for (AeadJob& job : jobs)
      job.ok = left_-- != 0;
  }
  void open_burst(std::span<AeadJob>) noexcept override {}
  [[nodiscard]] std::string_view name() const noexcept override { return "failing"; }
  [[nodiscard]] std::uint8_t suites() const noexcept override { return 0; }

 private:
  unsigned left_;
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
    batch.seal(packet_of_size(100 + i), session.sent, to, 1400, now);
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

// One segment that was not sealed takes its train with it, and what of the super-packet comes
// behind; the trains before it have gone.
TEST(WireBatch, NeverSendsATrainWithAPlaintextInIt) {
  start_eal_for({});
  for (const bool partial : {false, true}) {
    Mempool packets({.packets = 127});
    Mempool supers({.packets = 31, .largest_packet = kSuperPool.largest_packet});
    MemoryWirePort wire;
    FailingAead aead(64 + 20);
    LcoreCounters counters;
    WireBatch batch(wire, aead, {packets.get(), supers.get()}, counters);
    Session session;
    session.sent.partial_checksums = partial;
    const PacketSpec spec{.payload = Bytes(20'000, 1), .checksum = Checksum::kPartial};
    const Bytes bytes = build(spec);
    rte_mbuf* const packet = rte_pktmbuf_alloc(supers.get());
    std::ranges::copy(bytes, data_of(packet));
    set_length(packet, static_cast<std::uint32_t>(bytes.size()));
    packet->l3_len = 20;
    packet->l4_len = 20;
    packet->tso_segsz = 100;
    packet->ol_flags = RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM;
    const auto super = SuperPacket::of(packet, *parse_inner(bytes_of(packet)));
    ASSERT_TRUE(super);
    batch.seal_super(packet, *super, session.sent, endpoint("192.0.2.2:4545"), 1400,
                     Instant{std::chrono::hours(1)});
    batch.flush();

    rte_mbuf* train = nullptr;
    ASSERT_EQ(wire.out().pop({&train, 1}), 1u);
    EXPECT_EQ(packet_count(train), 64u);
    rte_pktmbuf_free(train);
    EXPECT_EQ(wire.out().pop({&train, 1}), 0u);
    EXPECT_EQ(counters.fates[static_cast<std::size_t>(Fate::kSent)].get(), 64u);
    EXPECT_EQ(counters.fates[static_cast<std::size_t>(Fate::kDropWireFull)].get(), 200u - 64);
    // No nonce is used twice: those of the train that was not sent are spent.
    EXPECT_EQ(session.sent.packets.get(), 128u);
    EXPECT_EQ(supers.available(), supers.size());
  }
}

}  // namespace
}  // namespace ipop::engine
