#include "engine/path/coalesce.hpp"

#include <algorithm>
#include <cstring>

#include "base/checksum.hpp"

namespace ipop::engine {
namespace {

constexpr std::uint32_t kMaxPacket = 65535;  // of an IPv4 packet; of an IPv6 payload, a little less
constexpr std::uint8_t kFinPsh = 0x09;
constexpr std::uint8_t kAck = 0x10;
constexpr std::uint8_t kEce = 0x40;

std::uint8_t flags_of(const std::uint8_t* packet, Transport transport) noexcept {
  return packet[transport.start + 13];
}

bool is_icmp(const InnerPacket& inner) noexcept {
  return inner.protocol == (inner.version == 4 ? 1 : 58);
}

bool has_room(const HostFrame& frame, std::uint32_t payload) noexcept {
  return frame.packets < Coalescer::kPerFrame &&
         frame.size - kEthernetHeader + payload <= kMaxPacket;
}

// After this one nothing may be merged.
bool ends(const std::uint8_t* packet, Transport transport) noexcept {
  return transport.protocol == kProtocolTcp && (flags_of(packet, transport) & kFinPsh) != 0;
}

// The addresses, which stand in the same place in all packets of one version.
bool same_hosts(const std::uint8_t* a, const std::uint8_t* b) noexcept {
  return a[0] >> 4 == 4 ? std::memcmp(a + 12, b + 12, 8) == 0 : std::memcmp(a + 8, b + 8, 32) == 0;
}

// The addresses' ends and the ports, mixed: what tells most flows apart at a glance.
std::uint32_t flow_key(const std::uint8_t* packet, const InnerPacket& inner,
                       Transport transport) noexcept {
  const std::size_t source = inner.version == 4 ? 12 : 20;
  const std::size_t destination = inner.version == 4 ? 16 : 36;
  return load_be<std::uint32_t>(packet + source) * 0x9e3779b1u ^
         load_be<std::uint32_t>(packet + destination) * 0x85ebca6bu ^
         load_be<std::uint32_t>(packet + transport.start);
}

// Of a header without options; IPv6 has none that could be wrong. Five words by hand: the general
// sum takes three times as long for so few.
bool ip_checksum_is_right(const std::uint8_t* packet) noexcept {
  if (packet[0] >> 4 == 6) return true;
  std::uint64_t sum = 0;
  for (std::size_t at = 0; at < kIpv4Header; at += 4) {
    std::uint32_t word;
    std::memcpy(&word, packet + at, sizeof word);
    sum += word;
  }
  sum = (sum >> 32) + (sum & 0xffffffff);
  sum = (sum >> 16) + (sum & 0xffff);
  sum = (sum >> 16) + (sum & 0xffff);
  return (sum >> 16) + (sum & 0xffff) == 0xffff;
}

// Of the first packet of a frame, whose lengths are still its own.
bool first_is_right(const std::uint8_t* packet, Transport transport) noexcept {
  const ByteView bytes(packet, transport.start + transport.length);
  const auto inner = parse_inner(bytes);
  return inner && checksum_is_right(bytes, *inner, transport);
}

// All that segmentation gives to each segment alike; and ids that it would write, unless the packet
// is never cut and they mean nothing (RFC 6864 §4.1).
bool same_ip(const std::uint8_t* first, const std::uint8_t* next, std::uint16_t packets) noexcept {
  if (first[0] >> 4 == 6) {
    return std::memcmp(first, next, 4) == 0 && first[7] == next[7];
  }
  const bool never_cut = (first[6] & 0x40) != 0;
  const auto expected = static_cast<std::uint16_t>(load_be<std::uint16_t>(first + 4) + packets);
  return first[1] == next[1] && first[6] == next[6] && first[7] == next[7] && first[8] == next[8] &&
         (never_cut || load_be<std::uint16_t>(next + 4) == expected);
}

// Acknowledgement, header length and flags, window, urgent pointer, options. PSH and FIN may come
// with the last.
bool same_tcp(const std::uint8_t* first, const std::uint8_t* next,
              std::uint32_t header_length) noexcept {
  return std::memcmp(first + 8, next + 8, 5) == 0 &&
         ((first[13] ^ next[13]) & ~kFinPsh & 0xff) == 0 &&
         std::memcmp(first + 14, next + 14, 2) == 0 && std::memcmp(first + 18, next + 18, 2) == 0 &&
         std::memcmp(first + kTcpHeader, next + kTcpHeader, header_length - kTcpHeader) == 0;
}

}  // namespace

bool Coalescer::add(std::uint8_t* packet, const InnerPacket& inner, Transport transport,
                    bool partial) noexcept {
  if (!transport) {
    // A fragment may belong to any flow between these hosts: what follows must not overtake it.
    if (!is_icmp(inner)) close_all();
    open_frame(packet, inner).partial = false;
    return false;
  }
  const std::uint32_t key = flow_key(packet, inner, transport);
  const std::uint16_t index = find(packet, transport, key);
  if (index != kFrames) {
    if (fits(index, packet, transport) &&
        checksums_allow(index, packet, inner, transport, partial)) {
      return append(index, packet, transport);
    }
    close(index);
  }
  Flow& flow = open_frame(packet, inner);
  flow.transport = transport;
  flow.key = key;
  flow.partial = partial;
  flow.verified = false;
  if (!may_open(packet, transport)) return false;
  flow.next_sequence = load_be<std::uint32_t>(packet + transport.start + 4) + transport.payload();
  keep_open(static_cast<std::uint16_t>(count_ - 1));
  return false;
}

bool Coalescer::extend(std::uint8_t* packet, std::uint32_t length) noexcept {
  if (!next_.is(packet, length)) return false;
  const std::uint32_t payload = next_.payload();
  if (!has_room(frames_[next_frame_], payload) || pieces_ == kPieces) [[unlikely]]
    return false;
  add_piece(next_frame_, packet + next_.headers(), payload);
  next_.advance();
  return true;
}

// Inline, like others below, for what calls cost: see decap.cpp.
inline std::uint16_t Coalescer::find(const std::uint8_t* packet, Transport transport,
                                     std::uint32_t key) const noexcept {
  for (std::uint16_t i = open_count_; i-- != 0;) {
    const Flow& flow = flows_[open_[i]];
    // Whatever IPv4 options there are: they do not make it another flow, which could be overtaken.
    if (flow.key == key && flow.transport.protocol == transport.protocol &&
        (flow.packet[0] ^ packet[0]) >> 4 == 0 && same_hosts(flow.packet, packet) &&
        std::memcmp(flow.packet + flow.transport.start, packet + transport.start, 4) == 0) {
      return open_[i];
    }
  }
  return kFrames;
}

inline bool Coalescer::may_open(const std::uint8_t* packet, Transport transport) const noexcept {
  // No IPv4 options: a kernel does not merge them, and some belong to the first fragment alone.
  const bool plain = transport.start == (packet[0] >> 4 == 4 ? kIpv4Header : kIpv6Header);
  if (!plain || transport.payload() == 0) return false;
  if (transport.protocol == kProtocolUdp) return offloads_.udp;
  const std::uint8_t flags = flags_of(packet, transport);
  return offloads_.tcp && (flags & static_cast<std::uint8_t>(~(kEce | kFinPsh))) == kAck &&
         (flags & kFinPsh) == 0;
}

inline bool Coalescer::fits(std::uint16_t index, const std::uint8_t* packet,
                            Transport transport) const noexcept {
  const Flow& flow = flows_[index];
  const HostFrame& frame = frames_[index];
  if (transport.start != flow.transport.start ||
      transport.header_length != flow.transport.header_length || transport.payload() == 0 ||
      transport.payload() > flow.transport.payload() || !has_room(frame, transport.payload()) ||
      !same_ip(flow.packet, packet, frame.packets)) {
    return false;
  }
  if (transport.protocol == kProtocolUdp) return true;
  const std::uint8_t* const first = flow.packet + flow.transport.start;
  const std::uint8_t* const next = packet + transport.start;
  return load_be<std::uint32_t>(next + 4) == flow.next_sequence &&
         same_tcp(first, next, transport.header_length);
}

// A merged frame's checksums are computed anew, so a wrong one must not disappear in it.
inline bool Coalescer::checksums_allow(std::uint16_t index, const std::uint8_t* packet,
                                       const InnerPacket& inner, Transport transport,
                                       bool partial) noexcept {
  Flow& flow = flows_[index];
  if (!flow.verified) {
    flow.verified = ip_checksum_is_right(flow.packet) &&
                    (flow.partial || first_is_right(flow.packet, flow.transport));
    if (!flow.verified) return false;
  }
  return ip_checksum_is_right(packet) &&
         (partial || checksum_is_right({packet, inner.total_length}, inner, transport));
}

inline void Coalescer::add_piece(std::uint16_t index, std::uint8_t* at,
                                 std::uint32_t length) noexcept {
  HostFrame& frame = frames_[index];
  Flow& flow = flows_[index];
  Piece& piece = more_[pieces_++];
  piece = {.at = at, .length = length, .next = nullptr};
  flow.last->next = &piece;
  flow.last = &piece;
  flow.next_sequence += length;
  frame.size += length;
  ++frame.packets;
}

inline bool Coalescer::append(std::uint16_t index, std::uint8_t* packet,
                              Transport transport) noexcept {
  const Flow& flow = flows_[index];
  const std::uint16_t before = frames_[index].packets;
  add_piece(index, packet + transport.headers(), transport.payload());
  if (transport.protocol == kProtocolTcp) {
    std::uint8_t& flags = flow.packet[flow.transport.start + 13];
    flags = static_cast<std::uint8_t>(flags | (flags_of(packet, transport) & kFinPsh));
  }
  if (ends(packet, transport) || transport.payload() < flow.transport.payload()) {
    close(index);
    return false;
  }
  return expect_next(index, packet, transport, before);
}

// Ids that go up by one or stay are what systems write; what else they may be where they mean
// nothing is not worth guessing.
inline bool Coalescer::expect_next(std::uint16_t index, const std::uint8_t* packet,
                                   Transport transport, std::uint16_t before) noexcept {
  next_.forget();
  if (!flows_[index].partial) return false;
  const std::uint8_t* const first = flows_[index].packet;
  const bool v4 = packet[0] >> 4 == 4;
  const auto step = static_cast<std::uint16_t>(load_be<std::uint16_t>(packet + 4) -
                                               load_be<std::uint16_t>(first + 4));
  const bool counts = v4 && step == before;
  if (v4 && !counts && step != 0) return false;
  next_.follow(packet, transport, counts);
  next_frame_ = index;
  return true;
}

inline Coalescer::Flow& Coalescer::open_frame(std::uint8_t* packet,
                                              const InnerPacket& inner) noexcept {
  HostFrame& frame = frames_[count_];
  Flow& flow = flows_[count_];
  ++count_;
  const auto size = static_cast<std::uint32_t>(kEthernetHeader + inner.total_length);
  frame.first = {.at = packet - kEthernetHeader, .length = size};
  frame.size = size;
  frame.source = inner.source;
  frame.packets = 1;
  frame.segmentation = Segmentation::kNone;
  frame.partial_checksum = false;
  flow.packet = packet;
  flow.last = &frame.first;
  return flow;
}

inline void Coalescer::keep_open(std::uint16_t index) noexcept {
  if (open_count_ == kOpenFlows) close(open_[0]);
  open_[open_count_++] = index;
}

void Coalescer::close(std::uint16_t index) noexcept {
  if (index == next_frame_) next_.forget();
  const auto end = open_.begin() + open_count_;
  const auto at = std::find(open_.begin(), end, index);
  std::copy(at + 1, end, at);
  --open_count_;
}

inline void Coalescer::describe(HostFrame& frame, const Flow& flow) noexcept {
  const Transport& transport = flow.transport;
  frame.partial_checksum = true;
  frame.checksum_start = static_cast<std::uint16_t>(kEthernetHeader + transport.start);
  frame.checksum_offset = static_cast<std::uint16_t>(transport.checksum_offset());
  if (frame.packets == 1) return;
  const bool v4 = flow.packet[0] >> 4 == 4;
  frame.segmentation = transport.protocol == kProtocolUdp ? Segmentation::kUdp
                       : v4                               ? Segmentation::kTcp4
                                                          : Segmentation::kTcp6;
  frame.segment_size = static_cast<std::uint16_t>(transport.payload());
  frame.header_length = static_cast<std::uint16_t>(kEthernetHeader + transport.headers());

  std::uint8_t* const ip = flow.packet;
  const auto total = static_cast<std::uint32_t>(frame.size - kEthernetHeader);
  if (v4) {
    store_be(ip + 2, static_cast<std::uint16_t>(total));
    store_be<std::uint16_t>(ip + 10, 0);
    store_be(ip + 10, internet_checksum({ip, transport.start}));
  } else {
    store_be(ip + 4, static_cast<std::uint16_t>(total - kIpv6Header));
  }
  const std::uint32_t length = total - transport.start;
  std::uint8_t* const at = ip + transport.start;
  if (transport.protocol == kProtocolUdp) store_be(at + 4, static_cast<std::uint16_t>(length));
  const IpAddress destination = v4 ? IpAddress::v4_at(ip + 16) : IpAddress::v6_at(ip + 24);
  store_be(at + transport.checksum_offset(),
           pseudo_header_sum(frame.source, destination, transport.protocol, length));
}

std::span<const HostFrame> Coalescer::finish() noexcept {
  for (std::uint16_t i = 0; i < count_; ++i) {
    if (flows_[i].partial || frames_[i].packets > 1) describe(frames_[i], flows_[i]);
  }
  return {frames_.data(), count_};
}

void Coalescer::clear() noexcept {
  count_ = pieces_ = 0;
  close_all();
}

}  // namespace ipop::engine
