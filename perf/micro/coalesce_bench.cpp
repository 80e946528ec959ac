// What it costs to make frames for the host out of packets: 44 contiguous segments of 1,388 bytes
// that become one frame, with partial checksums and with whole ones, which are verified; and a
// burst of 32 packets of as many flows, of which each becomes a frame of its own.
#include <benchmark/benchmark.h>

#include <cstring>
#include <vector>

#include "base/checksum.hpp"
#include "engine/path/coalesce.hpp"

namespace ipop::engine {
namespace {

constexpr std::uint32_t kTcpWithTimes = 32;
constexpr std::uint32_t kHeaders = kIpv4Header + kTcpWithTimes;
constexpr std::uint32_t kPayload = 1388;
constexpr std::size_t kStride = 2048;
constexpr std::size_t kFront = 64;

struct Packets {
  // Segment i of one stream, or of a stream of its own.
  Packets(std::uint32_t count, bool one_flow, bool partial) : buffer(count * kStride) {
    for (std::uint32_t i = 0; i < count; ++i) {
      std::uint8_t* const ip = &buffer[i * kStride + kFront];
      ip[0] = 0x45;
      store_be(ip + 2, static_cast<std::uint16_t>(kHeaders + kPayload));
      ip[6] = 0x40;
      ip[8] = 64;
      ip[9] = kProtocolTcp;
      store_be<std::uint32_t>(ip + 12, 0x0a000001);
      store_be<std::uint32_t>(ip + 16, 0x0a000002);
      store_be(ip + 10, internet_checksum({ip, kIpv4Header}));
      std::uint8_t* const tcp = ip + kIpv4Header;
      store_be(tcp, static_cast<std::uint16_t>(5000 + (one_flow ? 0 : i)));
      store_be<std::uint16_t>(tcp + 2, 5001);
      store_be(tcp + 4, one_flow ? i * kPayload : 0);
      tcp[12] = kTcpWithTimes / 4 << 4;
      tcp[13] = 0x10;
      const auto inner = parse_inner({ip, kHeaders + kPayload});
      const std::uint32_t length = kTcpWithTimes + kPayload;
      store_be(tcp + 16,
               pseudo_header_sum(inner->source, inner->destination, kProtocolTcp, length));
      if (!partial) complete_checksum({tcp, length}, 16);
      packets.push_back(ip);
      inners.push_back(*inner);
    }
    first.assign(packets[0], packets[0] + kHeaders);
  }

  std::vector<std::uint8_t> buffer;
  std::vector<std::uint8_t*> packets;
  std::vector<InnerPacket> inners;
  std::vector<std::uint8_t> first;  // the headers that merging changes
};

void coalesce(benchmark::State& state, std::uint32_t count, bool one_flow, bool partial) {
  Packets packets(count, one_flow, partial);
  Coalescer coalescer({.tcp = true, .udp = true});
  std::size_t frames = 0;
  for (auto _ : state) {
    std::memcpy(packets.packets[0], packets.first.data(), kHeaders);
    for (std::uint32_t i = 0; i < count; ++i) {
      const InnerPacket& inner = packets.inners[i];
      const Transport transport = parse_transport({packets.packets[i], inner.total_length}, inner);
      coalescer.add(packets.packets[i], inner, transport, partial);
    }
    frames = coalescer.finish().size();
    coalescer.clear();
  }
  if (frames != (one_flow ? 1 : count)) state.SkipWithError("not as many frames as expected");
  state.counters["packet"] = benchmark::Counter(
      count, benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK_CAPTURE(coalesce, one_flow_partial_checksums, 44, true, true);
BENCHMARK_CAPTURE(coalesce, one_flow_whole_checksums, 44, true, false);
BENCHMARK_CAPTURE(coalesce, many_flows, 32, false, true);

}  // namespace
}  // namespace ipop::engine

BENCHMARK_MAIN();
