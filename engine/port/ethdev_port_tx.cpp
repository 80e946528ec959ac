// How datagrams leave by a DPDK port.
#include <rte_ethdev.h>
#include <rte_pause.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "engine/path/data_header.hpp"
#include "engine/path/packet.hpp"
#include "engine/path/relay_header.hpp"
#include "engine/port/ethdev_port.hpp"

namespace ipop::engine {
namespace {

constexpr std::uint16_t kUdpSize = 8;

// An AEAD guards it, label and all: in IPv4 it needs no checksum.
bool is_sealed(const rte_mbuf* datagram) noexcept {
  const auto kind = *rte_pktmbuf_mtod(datagram, const std::uint8_t*);
  return kind == kDataType || kind == kRelayType;
}

}  // namespace

inline Way* EthdevPort::way_for(const IpAddress& to) noexcept {
  for (Way& way : ways_) {
    if (way.is_v4() == to.is_v4()) return &way;
  }
  return nullptr;
}

inline void EthdevPort::write_headers(rte_mbuf* datagram, const UdpHeaders& headers,
                                      const MacAddress& next_hop,
                                      std::uint16_t source_port) noexcept {
  using Checksum = UdpHeaders::Checksum;
  const bool v4 = headers.source().is_v4();
  const Checksum checksum = card_.tx_udp_checksum       ? Checksum::kPseudo
                            : v4 && is_sealed(datagram) ? Checksum::kNone
                                                        : Checksum::kWhole;
  headers.write_before(data_of(datagram), static_cast<std::uint16_t>(datagram->pkt_len), next_hop,
                       meta(datagram).endpoint, source_port, checksum, !card_.tx_ip_checksum);
  datagram->tx_offload = 0;
  datagram->l2_len = headers.ethernet_size() & 0x7f;
  datagram->l3_len = headers.ip_size() & 0x1ff;
  datagram->ol_flags |= v4 ? RTE_MBUF_F_TX_IPV4 : RTE_MBUF_F_TX_IPV6;
  if (v4 && card_.tx_ip_checksum) datagram->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
  if (card_.tx_udp_checksum) datagram->ol_flags |= RTE_MBUF_F_TX_UDP_CKSUM;
  grow_front(datagram, static_cast<std::uint16_t>(headers.size()));
}

inline EthdevPort::Prepared EthdevPort::prepare(rte_mbuf* datagram) noexcept {
  const Endpoint& to = meta(datagram).endpoint;
  Way* const way = way_for(to.address);
  const std::uint16_t source_port = ports_.port_of(to.socket);
  if (way == nullptr || source_port == 0) [[unlikely]] {
    count(WireEvent::kNoRoute);
    return Prepared::kRefused;
  }
  const UdpHeaders& headers = way->headers();
  if (datagram->pkt_len + headers.ip_size() + kUdpSize > mtu_ || datagram->nb_segs != 1 ||
      rte_pktmbuf_headroom(datagram) < headers.size()) [[unlikely]] {
    count(WireEvent::kTooBig);
    return Prepared::kRefused;
  }
  const MacAddress* mac = way->last_if_for(to.address);
  if (mac == nullptr) {
    if (const Prepared prepared = find_neighbour(datagram, *way, mac); mac == nullptr)
      return prepared;
  }
  write_headers(datagram, headers, *mac, source_port);
  return Prepared::kReady;
}

void EthdevPort::tx_burst(std::span<rte_mbuf*> datagrams, std::uint32_t& sent,
                          std::uint32_t& refused) noexcept {
  rte_mbuf* ready[kBurst];
  std::size_t count = 0;
  bool waits = false;
  sent = refused = 0;
  const auto put = [&](rte_mbuf* datagram) {
    switch (prepare(datagram)) {
      case Prepared::kReady:
        ready[count++] = datagram;
        break;
      case Prepared::kWaits:
        waits = true;
        ++sent;
        break;
      case Prepared::kRefused:
        rte_pktmbuf_free(datagram);
        ++refused;
    }
    if (count == kBurst) {
      const std::uint32_t taken = transmit({ready, std::exchange(count, 0)});
      sent += taken;
      refused += kBurst - taken;
    }
  };
  for (rte_mbuf* const datagram : datagrams) {
    if (datagram->tso_segsz != 0) [[unlikely]] {
      refused += split(datagram, put);
    } else {
      put(datagram);
    }
  }
  if (count != 0) {
    const std::uint32_t taken = transmit({ready, count});
    sent += taken;
    refused += static_cast<std::uint32_t>(count) - taken;
  }
  if (waits) ask();
}

template <typename Put>
std::uint32_t EthdevPort::split(rte_mbuf* train, Put put) noexcept {
  const std::uint32_t each = train->tso_segsz;
  std::uint32_t lost = 0;
  for (std::uint32_t at = 0; at < train->pkt_len; at += each) {
    const std::uint32_t length = std::min(each, train->pkt_len - at);
    rte_mbuf* const datagram = rte_pktmbuf_alloc(pool_);
    if (datagram == nullptr || length > rte_pktmbuf_tailroom(datagram)) {
      rte_pktmbuf_free(datagram);
      ++lost;
      continue;
    }
    std::memcpy(data_of(datagram), data_of(train) + at, length);
    set_length(datagram, length);
    meta(datagram) = meta(train);
    count(WireEvent::kCopied);
    put(datagram);
  }
  rte_pktmbuf_free(train);
  return lost;
}

EthdevPort::Prepared EthdevPort::find_neighbour(rte_mbuf* datagram, Way& way,
                                                const MacAddress*& mac) noexcept {
  const IpAddress& to = meta(datagram).endpoint.address;
  const auto next_hop = stack_.next_hop(to);
  if (!next_hop) {
    count(WireEvent::kNoRoute);
    return Prepared::kRefused;
  }
  mac = stack_.find(*next_hop, now_);
  if (mac != nullptr) {
    way.remember(to, *next_hop, *mac);
    return Prepared::kReady;
  }
  if (waiting_.push(datagram, *next_hop, now_)) return Prepared::kWaits;
  count(WireEvent::kUnresolved);
  return Prepared::kRefused;
}

std::uint32_t EthdevPort::transmit(std::span<rte_mbuf*> frames) noexcept {
  std::size_t taken = 0;
  for (unsigned tries = 0; tries < kTries && taken < frames.size(); ++tries) {
    if (tries != 0) rte_pause();
    taken += rte_eth_tx_burst(device_id_, queue_, frames.data() + taken,
                              static_cast<std::uint16_t>(frames.size() - taken));
  }
  if (taken < frames.size()) [[unlikely]] {
    count(WireEvent::kQueueFull, frames.size() - taken);
    rte_pktmbuf_free_bulk(frames.data() + taken, static_cast<unsigned>(frames.size() - taken));
  }
  return static_cast<std::uint32_t>(taken);
}

void EthdevPort::send_frame(ByteView frame) noexcept {
  rte_mbuf* packet = rte_pktmbuf_alloc(pool_);
  if (packet == nullptr) return;  // it is asked again
  std::memcpy(data_of(packet), frame.data(), frame.size());
  set_length(packet, static_cast<std::uint32_t>(frame.size()));
  (void)transmit({&packet, 1});
}

void EthdevPort::send_waiting() noexcept {
  std::array<rte_mbuf*, WaitingDatagrams::kMost> waited;
  const std::size_t taken = waiting_.take(waited);
  for (rte_mbuf* datagram : std::span(waited).first(taken)) {
    switch (prepare(datagram)) {
      case Prepared::kReady:
        (void)transmit({&datagram, 1});
        break;
      case Prepared::kWaits:
        break;
      case Prepared::kRefused:
        rte_pktmbuf_free(datagram);
    }
  }
}

}  // namespace ipop::engine
