#include "engine_link.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/path/packet.hpp"
#include "tests/unit/engine/transport_packets.hpp"

namespace ipop::engine::testing {
namespace {

constexpr std::size_t kMacSize = 6;
constexpr std::size_t kAddressesAt = 14 + 12;  // of IPv4
// Packets to it come back, so it is their source, too.
const IpAddress kInner = IpAddress::v4(0x0a000002);

}  // namespace

std::uint16_t PointingHostPort::rx_burst(const PacketPools&, std::span<rte_mbuf*> into) noexcept {
  const std::size_t count = std::min(waiting_.size(), into.size());
  std::copy_n(waiting_.begin(), count, into.begin());
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(count));
  return static_cast<std::uint16_t>(count);
}

HostWritten PointingHostPort::tx_burst(std::span<const HostFrame> frames) noexcept {
  HostWritten written;
  for (const HostFrame& frame : frames) {
    taken_.push_back(frame.first.at + kEthernetHeader);
    written.delivered += frame.packets;
  }
  return written;
}

void EngineLink::start(unsigned room, bool partial_checksums) {
  open(both_families(), room);
  meet(kPeer);
  supers.emplace(PoolSettings{.packets = 31, .largest_packet = kSuperPool.largest_packet});
  table.emplace(TableSizes{.peers = 16, .sessions = 16, .hosts = 16, .prefixes = 16, .labels = 16},
                1, make_aead_engine());
  punts.emplace(pool->get());
  orders.emplace(pool->get(), bell);
  state.emplace(
      LcoreState::Parts{
          host, *port, {pool->get(), supers->get()}, table->reader(), *punts, *orders},
      make_aead_engine());
  peer = *table->add_peer();
  session = *table->reserve_session();
  const auto key = Secret<32>::random();
  table->publish_session({.peer = peer,
                          .local = session,
                          .remote = static_cast<std::uint32_t>(session),
                          .suite = AeadSuite::kAes256Gcm,
                          .partial_checksums = partial_checksums,
                          .send_key = key,
                          .receive_key = key,
                          .send_until = now + std::chrono::hours(1),
                          .receive_until = now + std::chrono::hours(1)});
  table->use_session(peer, session);
  table->set_path(peer, {{testing::ip(kPeer), kOurPort}, 1452});
  EXPECT_TRUE(table->add_route(Prefix::host(kInner), peer));
}

void EngineLink::TearDown() {
  relieve();
  if (state) {
    state->finish(now);
    expect_balance();
    for (rte_mbuf* const frame : frames_left())
      rte_pktmbuf_free(frame);
    state.reset();
    orders.reset();
    punts.reset();
    table.reset();
    EXPECT_EQ(supers->available(), supers->size());
  }
  RingLink::TearDown();
}

rte_mbuf* EngineLink::packet_of_host(std::size_t payload) {
  const Bytes frame = frame_of(ip_packet(kInner, kInner, payload));
  rte_mbuf* const made = rte_pktmbuf_alloc(pool->get());
  std::ranges::copy(frame, data_of(made));
  set_length(made, static_cast<std::uint32_t>(frame.size()));
  host.lay_in(made);
  return made;
}

rte_mbuf* EngineLink::super_of_host(std::size_t payload, std::uint16_t each) {
  const PacketSpec spec{
      .from = kInner, .to = kInner, .payload = Bytes(payload), .checksum = Checksum::kPartial};
  const Bytes frame = frame_of(build(spec));
  rte_mbuf* const made = rte_pktmbuf_alloc(supers->get());
  std::ranges::copy(frame, data_of(made));
  set_length(made, static_cast<std::uint32_t>(frame.size()));
  made->l2_len = kEthernetHeader;
  made->l3_len = spec.transport_start() & 0x1ff;
  made->l4_len = spec.transport_header() & 0xff;
  made->tso_segsz = each;
  made->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM | RTE_MBUF_F_TX_TCP_SEG;
  host.lay_in(made);
  return made;
}

void EngineLink::turn() {
  while (state->turn(now) != 0) {
  }
}

std::vector<rte_mbuf*> EngineLink::frames_left() {
  std::vector<rte_mbuf*> frames;
  while (rte_mbuf* const frame = device->pop())
    frames.push_back(frame);
  return frames;
}

void EngineLink::send_back(rte_mbuf* frame) {
  std::uint8_t* const at = data_of(frame);
  std::swap_ranges(at, at + kMacSize, at + kMacSize);
  std::uint8_t* const source = at + kAddressesAt;
  std::swap_ranges(source, source + 4, source + 4);
  frame->ol_flags = 0;
  frame->tx_offload = 0;
  EXPECT_TRUE(device->push(frame));
}

EngineCounters EngineLink::counters() const {
  EngineCounters sum;
  state->counters().add_to(sum);
  sum.injected = orders->accepted();
  return sum;
}

void EngineLink::expect_balance() const {
  const EngineCounters all = counters();
  const std::uint64_t ended = std::accumulate(all.fates.begin(), all.fates.end(), std::uint64_t{0});
  EXPECT_EQ(all.host_rx + all.wire_rx + all.injected + all.generated, ended + all.staged);
}

void EngineLink::exhaust(std::size_t but_for) {
  while (rte_mbuf* const one = rte_pktmbuf_alloc(pool->get()))
    hoard_.push_back(one);
  for (; but_for != 0; --but_for) {
    rte_pktmbuf_free(hoard_.back());
    hoard_.pop_back();
  }
}

void EngineLink::relieve() {
  rte_pktmbuf_free_bulk(hoard_.data(), static_cast<unsigned>(hoard_.size()));
  hoard_.clear();
}

}  // namespace ipop::engine::testing
