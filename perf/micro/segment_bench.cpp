// What it costs to cut a super-packet of 60 KiB (44 segments of 1,388 bytes) and seal them into a
// train. The headers alone; and all of it, each turn next to the AEAD alone, in place, over the
// same segments: "ratio" is the one time divided by the other, medians of the turns' own ratios.
#include <benchmark/benchmark.h>
#include <rte_cycles.h>

#include <algorithm>
#include <memory>
#include <stdexcept>
#include <vector>

#include "engine/engine.hpp"
#include "engine/path/data_header.hpp"
#include "engine/path/packet.hpp"
#include "engine/path/transport.hpp"
#include "engine/path/wire_batch.hpp"

namespace ipop::engine {
namespace {

constexpr std::uint32_t kSegments = 44;
constexpr std::uint32_t kSegmentSize = 1388;
constexpr std::uint32_t kTcpWithTimes = 32;
constexpr std::uint32_t kHeaders = kIpv4Header + kTcpWithTimes;
constexpr std::uint32_t kSize = kHeaders + kSegments * kSegmentSize;
constexpr std::uint32_t kRoom = 1468;

class FreeingWirePort final : public WirePort {
 public:
  std::uint16_t rx_burst(const PacketPools&, std::span<rte_mbuf*>) noexcept override { return 0; }
  void tx_burst(std::span<rte_mbuf*> datagrams, std::uint32_t& sent,
                std::uint32_t& refused) noexcept override {
    sent = refused = 0;
    for (const rte_mbuf* const each : datagrams)
      sent += packet_count(each);
    rte_pktmbuf_free_bulk(datagrams.data(), static_cast<unsigned>(datagrams.size()));
  }
  std::size_t wait_fds(std::span<int, kMaxWaitFds>) const noexcept override { return 0; }
};

// Before all that takes memory from EAL.
struct Eal {
  Eal() { start_eal_for({}); }
};

struct Sealing : Eal {
  explicit Sealing(AeadSuite suite) {
    const auto key = Secret<32>::random();
    aead->expand(suite, key, session.send_key);
  }

  // As encap passes it on: from its IP header.
  rte_mbuf* make_super() {
    rte_mbuf* const packet = rte_pktmbuf_alloc(supers.get());
    if (packet == nullptr) throw std::runtime_error("no buffers left");
    std::uint8_t* const ip = data_of(packet);
    std::fill_n(ip, kHeaders, std::uint8_t{0});
    ip[0] = 0x45;
    store_be(ip + 2, static_cast<std::uint16_t>(kSize));
    ip[8] = 64;
    ip[9] = kProtocolTcp;
    store_be<std::uint32_t>(ip + 12, 0x0a000001);
    store_be<std::uint32_t>(ip + 16, 0x0a000002);
    ip[kIpv4Header + 12] = kTcpWithTimes / 4 << 4;
    ip[kIpv4Header + 13] = 0x10;
    set_length(packet, kSize);
    packet->l2_len = 0;
    packet->l3_len = kIpv4Header;
    packet->l4_len = kTcpWithTimes;
    packet->tso_segsz = kSegmentSize;
    packet->ol_flags = RTE_MBUF_F_TX_TCP_SEG;
    return packet;
  }

  void seal_alone() {
    for (std::uint32_t i = 0; i < kSegments; ++i) {
      constexpr std::uint32_t kLength = kHeaders + kSegmentSize;
      std::uint8_t* const at = &train[kDataHeader + i * (kDataHeader + kLength + kTagSize)];
      jobs[i] = {
          .key = &session.send_key, .in = at, .out = at, .length = kLength, .counter = counter++};
    }
    aead->seal_burst(jobs);
  }

  Mempool supers{kSuperPool};
  FreeingWirePort port;
  LcoreCounters counters;
  std::unique_ptr<AeadEngine> aead = make_aead_engine();
  WireBatch wire{port, *aead, PacketPools(supers.get()), counters};
  Session session;
  std::vector<std::uint8_t> train = std::vector<std::uint8_t>(65536);
  std::vector<AeadJob> jobs = std::vector<AeadJob>(kSegments);
  std::uint64_t counter = 0;
};

// A turn's time in seconds.
template <typename Call>
double timed(Call call) {
  const std::uint64_t begin = rte_rdtsc_precise();
  call();
  return static_cast<double>(rte_rdtsc_precise() - begin) / static_cast<double>(rte_get_tsc_hz());
}

void write_headers(benchmark::State& state) {
  Sealing world(AeadSuite::kAes256Gcm);
  rte_mbuf* const packet = world.make_super();
  const auto inner = parse_inner(bytes_of(packet));
  std::uint8_t headers[SuperPacket::kMaxHeaders];
  for (auto _ : state) {
    const auto super = SuperPacket::of(packet, *inner);
    for (std::uint32_t i = 0; i < super->count(); ++i) {
      super->write_headers(i, headers);
      benchmark::DoNotOptimize(headers);
    }
  }
  rte_pktmbuf_free(packet);
}
BENCHMARK(write_headers);

// `partial`: checksums stay partial, as between IPOP peers; else each segment gets its whole one.
void seal_super(benchmark::State& state, AeadSuite suite, bool partial) {
  Sealing world(suite);
  if ((world.aead->suites() >> static_cast<unsigned>(suite) & 1) == 0) {
    state.SkipWithError("this machine does not have the suite");
    return;
  }
  world.session.sent.partial_checksums = partial;
  std::vector<double> ratios;
  double alone_s = 0;
  for (auto _ : state) {
    rte_mbuf* const packet = world.make_super();
    const double whole = timed([&] {
      const auto inner = parse_inner(bytes_of(packet));
      const auto super = SuperPacket::of(packet, *inner);
      world.wire.seal_super(packet, *super, world.session.sent, Endpoint{}, kRoom, Instant{});
      world.wire.flush();
    });
    const double alone = timed([&] { world.seal_alone(); });
    state.SetIterationTime(whole);
    alone_s += alone;
    ratios.push_back(whole / alone);
  }
  if (world.counters.fates[static_cast<std::size_t>(Fate::kSent)].get() !=
      ratios.size() * kSegments) {
    state.SkipWithError("not every segment was sent");
  }
  const auto middle = ratios.begin() + static_cast<std::ptrdiff_t>(ratios.size() / 2);
  std::ranges::nth_element(ratios, middle);
  state.counters["ratio"] = *middle;
  state.counters["alone_ns"] = alone_s * 1e9 / static_cast<double>(ratios.size());
  state.SetBytesProcessed(state.iterations() * kSize);
}
BENCHMARK_CAPTURE(seal_super, aes_partial_checksums, AeadSuite::kAes256Gcm, true)->UseManualTime();
BENCHMARK_CAPTURE(seal_super, aes_whole_checksums, AeadSuite::kAes256Gcm, false)->UseManualTime();
BENCHMARK_CAPTURE(seal_super, chacha_partial_checksums, AeadSuite::kChaCha20Poly1305, true)
    ->UseManualTime();

}  // namespace
}  // namespace ipop::engine

BENCHMARK_MAIN();
