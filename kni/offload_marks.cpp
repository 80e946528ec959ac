#include "kni/offload_marks.hpp"

#include "base/bytes.hpp"
#include "kni/checksum.hpp"

namespace ipop::kni {
namespace {

constexpr std::uint32_t kEthernetSize = 14;
constexpr std::uint32_t kIpv4Size = 20;
constexpr std::uint32_t kTcpSize = 20;
constexpr std::uint32_t kUdpSize = 8;
constexpr std::uint16_t kTcpChecksum = 16;
constexpr std::uint16_t kUdpChecksum = 6;
constexpr std::uint32_t kMaxL3 = 511;  // what an mbuf's l3_len can say

void mark(rte_mbuf* frame, std::uint16_t checksum_start, std::uint64_t flags) noexcept {
  frame->l2_len = kEthernetSize;
  frame->l3_len = (checksum_start - kEthernetSize) & kMaxL3;
  frame->ol_flags |= flags;
}

Marking mark_checksum(const VnetHeader& header, rte_mbuf* frame) noexcept {
  const std::uint32_t start = header.checksum_start;
  const std::uint32_t offset = header.checksum_offset;
  const MutableBytes bytes(rte_pktmbuf_mtod(frame, std::uint8_t*), frame->data_len);
  const bool known = offset == kTcpChecksum || offset == kUdpChecksum;
  if (!known || start < kEthernetSize + kIpv4Size || start - kEthernetSize > kMaxL3) {
    return complete_checksum(bytes, start, offset) ? Marking::kCompleted : Marking::kMalformed;
  }
  if (start + offset + 2 > bytes.size()) return Marking::kMalformed;
  mark(frame, header.checksum_start,
       offset == kTcpChecksum ? RTE_MBUF_F_TX_TCP_CKSUM : RTE_MBUF_F_TX_UDP_CKSUM);
  return Marking::kMarked;
}

Marking mark_super(const VnetHeader& header, std::uint8_t type, rte_mbuf* frame) noexcept {
  const bool udp = type == VnetHeader::kUdp;
  if (!udp && type != VnetHeader::kTcp4 && type != VnetHeader::kTcp6) return Marking::kMalformed;
  const std::uint32_t start = header.checksum_start;
  if ((header.flags & VnetHeader::kNeedsChecksum) == 0 || header.segment_size == 0 ||
      header.checksum_offset != (udp ? kUdpChecksum : kTcpChecksum) ||
      start < kEthernetSize + kIpv4Size || start - kEthernetSize > kMaxL3 ||
      start + (udp ? kUdpSize : kTcpSize) > frame->data_len) {
    return Marking::kMalformed;
  }
  const auto* const transport = rte_pktmbuf_mtod_offset(frame, const std::uint8_t*, start);
  const std::uint32_t l4 = udp ? kUdpSize : (transport[12] >> 4) * 4u;
  if ((!udp && l4 < kTcpSize) || start + l4 >= frame->data_len) return Marking::kMalformed;
  mark(frame, header.checksum_start,
       udp ? RTE_MBUF_F_TX_UDP_SEG | RTE_MBUF_F_TX_UDP_CKSUM
           : RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_TCP_CKSUM);
  frame->l4_len = l4 & 0xff;
  frame->tso_segsz = header.segment_size;
  return Marking::kMarked;
}

}  // namespace

Marking mark_offloads(const VnetHeader& header, rte_mbuf* frame) noexcept {
  const auto type = static_cast<std::uint8_t>(header.gso_type & ~VnetHeader::kEcnBit);
  if (type != VnetHeader::kNotSegmented) return mark_super(header, type, frame);
  if ((header.flags & VnetHeader::kNeedsChecksum) == 0) return Marking::kMarked;
  return mark_checksum(header, frame);
}

VnetHeader header_for(const engine::HostFrame& frame) noexcept {
  VnetHeader header;
  if (!frame.partial_checksum) return header;
  header.flags = VnetHeader::kNeedsChecksum;
  header.checksum_start = frame.checksum_start;
  header.checksum_offset = frame.checksum_offset;
  switch (frame.segmentation) {
    case engine::Segmentation::kNone:
      return header;
    case engine::Segmentation::kTcp4:
      header.gso_type = VnetHeader::kTcp4;
      break;
    case engine::Segmentation::kTcp6:
      header.gso_type = VnetHeader::kTcp6;
      break;
    case engine::Segmentation::kUdp:
      header.gso_type = VnetHeader::kUdp;
      break;
  }
  header.header_length = frame.header_length;
  header.segment_size = frame.segment_size;
  return header;
}

}  // namespace ipop::kni
