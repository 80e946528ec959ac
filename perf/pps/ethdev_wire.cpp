#include "perf/pps/ethdev_wire.hpp"

#include <stdexcept>

#include "engine/net/arp.hpp"
#include "engine/path/packet.hpp"

namespace ipop::perf {

using namespace ipop::engine;

namespace {

const IpAddress kOurs = IpAddress::v4(0xc0000202);
const IpAddress kGateway = IpAddress::v4(0xc0000201);
constexpr MacAddress kGatewayMac{{0x02, 0, 0, 0, 0, 0x01}};

rte_mbuf* buffer_of(rte_mempool* pool) {
  rte_mbuf* const buffer = rte_pktmbuf_alloc(pool);
  if (buffer == nullptr) throw std::runtime_error("no buffers left");
  return buffer;
}

}  // namespace

void EthdevWire::open(const std::string& device) {
  port_ = std::make_unique<EthdevPort>(EthdevPortSettings{.device = {.device = device},
                                                          .addresses = {{kOurs, 24}},
                                                          .gateways = {kGateway},
                                                          .port = kPort});
}

rte_mbuf* EthdevWire::gateways_answer(rte_mempool* pool) const {
  rte_mbuf* const answer = buffer_of(pool);
  ByteWriter out({data_of(answer), 64});
  const MacAddress mac = device().mac();
  write_ethernet({.to = mac, .from = kGatewayMac, .type = kEtherTypeArp}, out);
  write_arp({.operation = kArpReply,
             .sender_mac = kGatewayMac,
             .sender = kGateway,
             .target_mac = mac,
             .target = kOurs},
            out);
  set_length(answer, static_cast<std::uint32_t>(out.size()));
  return answer;
}

void EthdevWire::attach(rte_mempool* pool) {
  start_far_end(pool);
  port_->attach({pool});
  await_link(pool);
  const Instant now{std::chrono::hours(1)};
  port_->tick(now);
  // Something has to be sent before anybody is asked for.
  rte_mbuf* frame = buffer_of(pool);
  set_length(frame, 64);
  meta(frame).endpoint = {IpAddress::v4(0x08080808), kPort};
  std::uint32_t sent = 0;
  std::uint32_t refused = 0;
  port_->tx_burst({&frame, 1}, sent, refused);
  rte_mbuf* burst[kBurst];
  rte_pktmbuf_free_bulk(burst, take_frames(burst));

  rte_mbuf* const answer = gateways_answer(pool);
  give_frames({&answer, 1});
  if (port_->rx_burst({pool}, burst) != 0 || take_frames(burst) != 1) {
    throw std::runtime_error("the gateway was not found");
  }
  rte_pktmbuf_free(burst[0]);
}

std::uint16_t EthdevWire::take(std::span<rte_mbuf*> into) noexcept {
  const std::uint16_t count = take_frames(into);
  for (rte_mbuf* const frame : into.first(count)) {
    cut_front(frame, kHeaders);
    frame->ol_flags = 0;
    frame->tx_offload = 0;
  }
  return count;
}

void EthdevWire::address(rte_mbuf* datagram, const Endpoint& from) const noexcept {
  const UdpHeaders headers(kGatewayMac, kNoVlan, from.address);
  headers.write_before(data_of(datagram), static_cast<std::uint16_t>(datagram->pkt_len),
                       device().mac(), {kOurs, kPort}, from.port, UdpHeaders::Checksum::kNone,
                       true);
  grow_front(datagram, kHeaders);
}

}  // namespace ipop::perf
