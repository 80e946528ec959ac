#include "engine/path/segment.hpp"

#include <cstring>

#include "base/checksum.hpp"
#include "engine/path/packet.hpp"
#include "engine/path/transport.hpp"

namespace ipop::engine {
namespace {

// RFC 9293 §3.1, RFC 3168 §6.1.2: of one segmented packet, only the last ends or pushes, and only
// the first says that the window was reduced.
constexpr std::uint8_t kFin = 0x01;
constexpr std::uint8_t kSyn = 0x02;
constexpr std::uint8_t kRst = 0x04;
constexpr std::uint8_t kPsh = 0x08;
constexpr std::uint8_t kUrg = 0x20;
constexpr std::uint8_t kCwr = 0x80;

// IPv6 extension headers that stand before a transport header and say their length in one way
// (RFC 8200 §4): hop-by-hop options, routing, destination options.
constexpr bool is_extension(std::uint8_t protocol) noexcept {
  return protocol == 0 || protocol == 43 || protocol == 60;
}

// Whether the headers of a whole packet lead to this transport header at this place.
bool leads_to(const std::uint8_t* packet, const InnerPacket& inner, std::uint8_t protocol,
              std::uint32_t transport_start) noexcept {
  std::uint32_t at = inner.header_length;
  std::uint8_t next = inner.protocol;
  while (inner.version == 6 && is_extension(next) && at + 8 <= transport_start) {
    next = packet[at];
    at += (packet[at + 1] + 1u) * 8;
  }
  return at == transport_start && next == protocol;
}

}  // namespace

std::optional<SuperPacket> SuperPacket::of(const rte_mbuf* packet,
                                           const InnerPacket& inner) noexcept {
  SuperPacket super;
  const auto* const at = rte_pktmbuf_mtod(packet, const std::uint8_t*);
  super.tcp_ = (packet->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0;
  super.v4_ = inner.version == 4;
  super.transport_start_ = packet->l3_len;
  super.headers_ = static_cast<std::uint32_t>(packet->l3_len + packet->l4_len);
  super.segment_size_ = packet->tso_segsz;
  super.plain_ = super.transport_start_ == inner.header_length;
  const bool l4_fits = super.tcp_ ? packet->l4_len >= kTcpHeader : packet->l4_len == kUdpHeader;
  const bool fragment = super.v4_ && (load_be<std::uint16_t>(at + 6) & 0x3fff) != 0;
  if (fragment || !l4_fits || super.headers_ > kMaxHeaders ||
      inner.total_length <= super.headers_ || super.segment_size_ == 0 ||
      !leads_to(at, inner, super.tcp_ ? kProtocolTcp : kProtocolUdp, super.transport_start_)) {
    return std::nullopt;
  }
  const std::uint32_t payload = inner.total_length - super.headers_;
  super.count_ = (payload + super.segment_size_ - 1) / super.segment_size_;
  if (super.count_ > kMaxSegments) return std::nullopt;
  super.last_payload_ = payload - (super.count_ - 1) * super.segment_size_;

  std::uint8_t* const head = super.template_.data();
  std::memcpy(head, at, super.headers_);
  std::uint8_t* const transport = head + super.transport_start_;
  if (super.tcp_) {
    if ((transport[12] >> 4) * 4u != packet->l4_len ||
        (transport[13] & (kSyn | kRst | kUrg)) != 0) {
      return std::nullopt;
    }
    super.sequence_ = load_be<std::uint32_t>(transport + 4);
  }
  if (super.v4_) {
    super.id_ = load_be<std::uint16_t>(head + 4);
    store_be<std::uint16_t>(head + 2, 0);
    store_be<std::uint16_t>(head + 4, 0);
    store_be<std::uint16_t>(head + 10, 0);
    super.ip_sum_ = static_cast<std::uint16_t>(~internet_checksum({head, super.transport_start_}));
  }
  // The host's own sum for the super-packet, its length replaced: so it is right whatever
  // addresses the host took (a routing header's last, for one).
  const auto sum = load_be<std::uint16_t>(transport + super.checksum_offset());
  const std::uint32_t length = inner.total_length - super.transport_start_;
  const std::uint32_t l4 = packet->l4_len;
  super.full_sum_ = with_length(sum, length, l4 + super.segment_size_);
  super.last_sum_ = with_length(sum, length, l4 + super.last_payload_);
  return super;
}

void SuperPacket::write_headers(std::uint32_t index, std::uint8_t* out) const noexcept {
  const bool last = index + 1 == count_;
  const std::uint32_t size = headers_ + (last ? last_payload_ : segment_size_);
  std::memcpy(out, template_.data(), headers_);
  if (v4_) {
    const auto id = static_cast<std::uint16_t>(id_ + index);
    store_be(out + 2, static_cast<std::uint16_t>(size));
    store_be(out + 4, id);
    std::uint32_t sum = std::uint32_t{ip_sum_} + size + id;
    sum = (sum >> 16) + (sum & 0xffff);
    sum += sum >> 16;
    store_be(out + 10, static_cast<std::uint16_t>(~sum));
  } else {
    store_be(out + 4, static_cast<std::uint16_t>(size - kIpv6Header));
  }
  std::uint8_t* const transport = out + transport_start_;
  if (tcp_) {
    store_be(transport + 4, sequence_ + index * segment_size_);
    std::uint8_t clear = last ? 0 : kFin | kPsh;
    if (index != 0) clear |= kCwr;
    transport[13] &= static_cast<std::uint8_t>(~clear);
  } else {
    store_be(transport + 4, static_cast<std::uint16_t>(size - transport_start_));
  }
  store_be(transport + checksum_offset(), last ? last_sum_ : full_sum_);
}

}  // namespace ipop::engine
