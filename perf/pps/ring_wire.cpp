#include "perf/pps/ring_wire.hpp"

#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include <atomic>
#include <stdexcept>
#include <string>

#include "engine/net/arp.hpp"
#include "engine/path/packet.hpp"

namespace ipop::perf {

using namespace ipop::engine;

namespace {

constexpr unsigned kFrames = 1024;
const IpAddress kOurs = IpAddress::v4(0xc0000202);
const IpAddress kGateway = IpAddress::v4(0xc0000201);
constexpr std::uint16_t kHeaders = 14 + 20 + 8;
constexpr MacAddress kGatewayMac{{0x02, 0, 0, 0, 0, 0x01}};

rte_ring* make_ring(const std::string& name) {
  rte_ring* const ring =
      rte_ring_create(name.c_str(), kFrames, SOCKET_ID_ANY, RING_F_SP_ENQ | RING_F_SC_DEQ);
  if (ring == nullptr) throw std::runtime_error("no memory for a ring");
  return ring;
}

}  // namespace

RingWire::RingWire() {
  static std::atomic<unsigned> made{0};
  const std::string name = "wire" + std::to_string(made++);
  in_ = make_ring(name + "-in");
  out_ = make_ring(name + "-out");
  if (rte_eth_from_rings(name.c_str(), &in_, 1, &out_, 1, 0) < 0) {
    throw std::runtime_error("net_ring makes no port");
  }
  port_ = std::make_unique<EthdevPort>(EthdevPortSettings{.device = {.device = "net_ring_" + name},
                                                          .addresses = {{kOurs, 24}},
                                                          .gateways = {kGateway},
                                                          .port = kPort});
}

RingWire::~RingWire() {
  const std::uint16_t id = port_->device().id();
  port_.reset();
  (void)rte_eth_dev_close(id);
  rte_ring_free(in_);
  rte_ring_free(out_);
}

void RingWire::attach(rte_mempool* pool) {
  port_->attach({pool});
  const Instant now{std::chrono::hours(1)};
  port_->tick(now);
  // Something has to be sent before anybody is asked for.
  rte_mbuf* frame = rte_pktmbuf_alloc(pool);
  if (frame == nullptr) throw std::runtime_error("no buffers left");
  set_length(frame, 64);
  meta(frame).endpoint = {IpAddress::v4(0x08080808), kPort};
  std::uint32_t sent = 0;
  std::uint32_t refused = 0;
  port_->tx_burst({&frame, 1}, sent, refused);
  rte_mbuf* burst[kBurst];
  rte_pktmbuf_free_bulk(burst, take_frames(burst));

  rte_mbuf* const answer = rte_pktmbuf_alloc(pool);
  if (answer == nullptr) throw std::runtime_error("no buffers left");
  ByteWriter out({data_of(answer), 64});
  const MacAddress mac = port_->device().mac();
  write_ethernet({.to = mac, .from = kGatewayMac, .type = kEtherTypeArp}, out);
  write_arp({.operation = kArpReply,
             .sender_mac = kGatewayMac,
             .sender = kGateway,
             .target_mac = mac,
             .target = kOurs},
            out);
  set_length(answer, static_cast<std::uint32_t>(out.size()));
  give({&answer, 1});
  if (port_->rx_burst({pool}, burst) != 0 || take_frames(burst) != 1) {
    throw std::runtime_error("the gateway was not found");
  }
  rte_pktmbuf_free(burst[0]);
}

std::uint16_t RingWire::take_frames(std::span<rte_mbuf*> into) noexcept {
  return static_cast<std::uint16_t>(rte_ring_dequeue_burst(
      out_, reinterpret_cast<void**>(into.data()), static_cast<unsigned>(into.size()), nullptr));
}

std::uint16_t RingWire::take(std::span<rte_mbuf*> into) noexcept {
  const std::uint16_t count = take_frames(into);
  for (rte_mbuf* const frame : into.first(count)) {
    cut_front(frame, kHeaders);
    frame->ol_flags = 0;
    frame->tx_offload = 0;
  }
  return count;
}

void RingWire::address(rte_mbuf* datagram, const Endpoint& from) const noexcept {
  const UdpHeaders headers(kGatewayMac, kNoVlan, from.address);
  headers.write_before(data_of(datagram), static_cast<std::uint16_t>(datagram->pkt_len),
                       port_->device().mac(), {kOurs, kPort}, from.port,
                       UdpHeaders::Checksum::kNone, true);
  grow_front(datagram, kHeaders);
}

void RingWire::give(std::span<rte_mbuf* const> frames) noexcept {
  (void)rte_ring_enqueue_burst(in_, reinterpret_cast<void* const*>(frames.data()),
                               static_cast<unsigned>(frames.size()), nullptr);
}

std::uint16_t RingWire::forward(std::span<rte_mbuf*> burst) noexcept {
  const std::uint16_t id = port_->device().id();
  const std::uint16_t count =
      rte_eth_rx_burst(id, 0, burst.data(), static_cast<std::uint16_t>(burst.size()));
  return rte_eth_tx_burst(id, 0, burst.data(), count);
}

}  // namespace ipop::perf
