#include "engine/path/host_packet.hpp"

#include <cstring>

#include "engine/path/packet.hpp"
#include "engine/path/transport.hpp"

namespace ipop::engine {
namespace {

// The two are values of one field, and share a bit.
static_assert((kPartialChecksum & RTE_MBUF_F_TX_L4_MASK) == kPartialChecksum);

// Where the fields of a frame stand.
constexpr std::size_t kFragment4 = kEthernetHeader + 6;  // and time to live, and protocol
constexpr std::size_t kAddresses4 = kEthernetHeader + 12;
constexpr std::size_t kNextHeader6 = kEthernetHeader + 6;
constexpr std::size_t kAddresses6 = kEthernetHeader + 8;

template <class Word>
Word load(const std::uint8_t* at) noexcept {
  Word word;
  std::memcpy(&word, at, sizeof word);
  return word;
}

// Once for a packet: a partial checksum that the far end could not find again is made whole, and
// its mark goes. False if the mark points outside what IP says is the payload: the port looked no
// further than at the frame, which may have padding.
[[nodiscard]] bool check_partial(rte_mbuf* packet, const InnerPacket& inner) noexcept {
  const MutableBytes bytes = bytes_of(packet);
  const std::uint32_t offset = partial_checksum_offset(packet);
  if (packet->l3_len < inner.header_length || packet->l3_len + offset + 2 > bytes.size()) {
    return false;
  }
  const Transport transport = parse_transport(bytes, inner);
  if (transport && transport.start == packet->l3_len && transport.checksum_offset() == offset) {
    return true;
  }
  complete_checksum(bytes.subspan(packet->l3_len), offset);
  packet->ol_flags &= ~kPartialChecksum;
  return true;
}

}  // namespace

// In all that decides what a frame is: Ethernet header, version, header length, IPv4's fragment
// bits and protocol or IPv6's next header, both addresses. The addresses first: in most pairs that
// are not alike, they differ.
inline bool HostPackets::is_like_last(const std::uint8_t* frame,
                                      std::uint32_t length) const noexcept {
  const std::uint8_t* const last = last_frame_;
  if (last == nullptr || length < kEthernetHeader + last_.header_length) return false;
  const auto differ = [&]<class Word>(Word, std::size_t at) {
    return std::uint64_t{load<Word>(frame + at)} ^ load<Word>(last + at);
  };
  constexpr std::uint64_t kWord{};
  std::uint64_t difference;
  if (last_.version == 4) {
    difference = differ(kWord, kAddresses4);
    if (difference != 0) return false;
    difference = differ(std::uint32_t{}, kFragment4);
  } else {
    difference = differ(kWord, kAddresses6 + 8) | differ(kWord, kAddresses6 + 24);
    if (difference != 0) return false;
    difference = differ(kWord, kAddresses6) | differ(kWord, kAddresses6 + 16) |
                 differ(std::uint8_t{}, kNextHeader6);
  }
  return (difference | differ(kWord, 0) | differ(kWord, 8)) == 0;
}

// Fills in `last_`.
inline Fate HostPackets::parse(const rte_mbuf* frame) noexcept {
  last_frame_ = nullptr;
  same_ = false;
  if (frame->nb_segs != 1) [[unlikely]]
    return Fate::kDropHostMalformed;
  const ByteView bytes(rte_pktmbuf_mtod(frame, const std::uint8_t*), frame->data_len);
  const FrameKind kind = classify_frame(bytes);
  switch (kind) {
    case FrameKind::kTruncated:
      return Fate::kDropHostMalformed;
    case FrameKind::kNotIp:
      return Fate::kDropHostNotIp;
    case FrameKind::kMulticast:
      return Fate::kDropHostMulticast;
    case FrameKind::kIpv4:
    case FrameKind::kIpv6:
      break;
  }
  if (!parse_inner(bytes.subspan(kEthernetHeader), last_) ||
      (last_.version == 4) != (kind == FrameKind::kIpv4)) {
    return Fate::kDropHostMalformed;
  }
  if (last_.destination.is_multicast()) return Fate::kDropHostMulticast;
  return Fate::kSent;
}

Fate HostPackets::unwrap(rte_mbuf* frame) noexcept {
  const std::uint8_t* const at = data_of(frame);
  if (frame->nb_segs == 1 && is_like_last(at, frame->data_len)) [[likely]] {
    same_ = true;
    const std::uint8_t* const ip = at + kEthernetHeader;
    last_.total_length = last_.version == 4
                             ? load_be<std::uint16_t>(ip + 2)
                             : std::uint32_t{load_be<std::uint16_t>(ip + 4)} + kIpv6Header;
    if (last_.total_length < last_.header_length ||
        kEthernetHeader + last_.total_length > frame->data_len) [[unlikely]] {
      return Fate::kDropHostMalformed;
    }
  } else if (const Fate fate = parse(frame); fate != Fate::kSent) {
    return fate;
  }
  // A super-packet has no padding, and the count of its segments hangs on its length.
  if (frame->tso_segsz != 0 && kEthernetHeader + last_.total_length != frame->pkt_len) {
    return Fate::kDropHostMalformed;
  }
  frame->data_off = static_cast<std::uint16_t>(frame->data_off + kEthernetHeader);
  frame->l2_len = 0;
  set_length(frame, last_.total_length);
  const bool partial = (frame->ol_flags & kPartialChecksum) != 0;
  if (partial && frame->tso_segsz == 0 && !check_partial(frame, last_)) {
    return Fate::kDropHostMalformed;
  }
  // Only now: a frame that is dropped was not routed, and what resembles it must be. With
  // hop-by-hop options, the next header decides about the length.
  if (!same_ && (last_.version == 4 || last_.protocol != 0)) last_frame_ = at;
  return Fate::kSent;
}

// What stood in front of it still does: nothing is written there before it is sealed.
void HostPackets::wrap_again(rte_mbuf* packet) noexcept {
  grow_front(packet, kEthernetHeader);
  packet->l2_len = kEthernetHeader;
}

}  // namespace ipop::engine
