#include "tests/unit/engine/transport_packets.hpp"

#include <cstring>

namespace ipop::engine {
namespace {

constexpr std::uint8_t kTcp = 6;
constexpr std::uint8_t kUdp = 17;

void append(Bytes& to, const Bytes& bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

void append_number(Bytes& to, std::uint64_t value, int bytes) {
  for (int i = bytes; i-- != 0;)
    to.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
}

void append_address(Bytes& to, const IpAddress& address) {
  const auto& bytes = address.bytes();
  to.insert(to.end(), bytes.begin() + (address.is_v4() ? 12 : 0), bytes.end());
}

void put_word(Bytes& bytes, std::size_t at, std::size_t value) {
  bytes.at(at) = static_cast<std::uint8_t>(value >> 8);
  bytes.at(at + 1) = static_cast<std::uint8_t>(value);
}

bool is_v4(const Bytes& packet) {
  return packet.at(0) >> 4 == 4;
}

Bytes pseudo_header(const Bytes& packet, std::size_t transport_start, bool is_tcp) {
  const std::size_t length = packet.size() - transport_start;
  const std::uint8_t protocol = is_tcp ? kTcp : kUdp;
  Bytes pseudo;
  if (is_v4(packet)) {
    pseudo.assign(packet.begin() + 12, packet.begin() + 20);
    append_number(pseudo, protocol, 2);
    append_number(pseudo, length, 2);
  } else {
    pseudo.assign(packet.begin() + 8, packet.begin() + 40);
    append_number(pseudo, length, 4);
    append_number(pseudo, protocol, 4);
  }
  return pseudo;
}

std::size_t checksum_at(std::size_t transport_start, bool is_tcp) {
  return transport_start + (is_tcp ? 16 : 6);
}

void set_v4_checksum(Bytes& packet) {
  put_word(packet, 10, 0);
  const Bytes header(packet.begin(), packet.begin() + (packet[0] & 15) * 4);
  put_word(packet, 10, naive_checksum(header));
}

Bytes ip_header(const PacketSpec& spec, std::size_t behind) {
  Bytes at;
  const std::uint8_t protocol = spec.is_tcp ? kTcp : kUdp;
  if (spec.from.is_v4()) {
    const std::size_t size = 20 + spec.ip_options.size();
    append_number(at, 0x40 + size / 4, 1);
    append_number(at, spec.traffic_class, 1);
    append_number(at, size + behind, 2);
    append_number(at, spec.id, 2);
    append_number(at, spec.never_cut ? 0x4000 : 0, 2);
    append_number(at, spec.hop_limit, 1);
    append_number(at, protocol, 1);
    append_number(at, 0, 2);
  } else {
    append_number(at, 0x60000000u | std::uint32_t{spec.traffic_class} << 20 | spec.flow_label, 4);
    append_number(at, spec.ip_options.size() + behind, 2);
    append_number(at, spec.ip_options.empty() ? protocol : 60, 1);
    append_number(at, spec.hop_limit, 1);
  }
  append_address(at, spec.from);
  append_address(at, spec.to);
  append(at, spec.ip_options);
  if (spec.from.is_v4()) {
    set_v4_checksum(at);
  } else if (!spec.ip_options.empty()) {
    at[40] = protocol;
    at[41] = static_cast<std::uint8_t>(spec.ip_options.size() / 8 - 1);
  }
  return at;
}

}  // namespace

std::uint16_t naive_checksum(const Bytes& bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    sum += i % 2 == 0 ? std::uint64_t{bytes[i]} * 256 : bytes[i];
  while (sum > 0xffff)
    sum = sum / 65536 + sum % 65536;
  return static_cast<std::uint16_t>(~sum);
}

std::uint16_t naive_transport_checksum(const Bytes& packet, std::size_t transport_start,
                                       bool is_tcp) {
  Bytes all = pseudo_header(packet, transport_start, is_tcp);
  append(all, Bytes(packet.begin() + static_cast<std::ptrdiff_t>(transport_start), packet.end()));
  return naive_checksum(all);
}

Bytes with_whole_checksum(Bytes packet, std::size_t transport_start, bool is_tcp) {
  const std::size_t at = checksum_at(transport_start, is_tcp);
  put_word(packet, at, 0);
  const std::uint16_t sum = naive_transport_checksum(packet, transport_start, is_tcp);
  put_word(packet, at, sum == 0 ? 0xffff : sum);
  return packet;
}

Bytes build(const PacketSpec& spec) {
  Bytes transport;
  append_number(transport, spec.from_port, 2);
  append_number(transport, spec.to_port, 2);
  if (spec.is_tcp) {
    append_number(transport, spec.sequence, 4);
    append_number(transport, spec.acknowledged, 4);
    append_number(transport, (20 + spec.tcp_options.size()) / 4 * 16, 1);
    append_number(transport, spec.flags, 1);
    append_number(transport, spec.window, 2);
    append_number(transport, 0, 2);
    append_number(transport, spec.urgent, 2);
    append(transport, spec.tcp_options);
  } else {
    append_number(transport, 8 + spec.payload.size(), 2);
    append_number(transport, 0, 2);
  }
  append(transport, spec.payload);
  Bytes packet = ip_header(spec, transport.size());
  append(packet, transport);

  const std::size_t start = spec.transport_start();
  const std::size_t at = checksum_at(start, spec.is_tcp);
  switch (spec.checksum) {
    case Checksum::kNone:
      return packet;
    case Checksum::kPartial:
      put_word(packet, at, 0xffff - naive_checksum(pseudo_header(packet, start, spec.is_tcp)));
      return packet;
    case Checksum::kWhole:
      return with_whole_checksum(packet, start, spec.is_tcp);
    case Checksum::kWrong:
      packet = with_whole_checksum(packet, start, spec.is_tcp);
      packet[at] ^= 0x10;
      return packet;
  }
  return packet;
}

std::vector<Bytes> cut_super(const Bytes& packet, std::size_t transport_start, bool is_tcp,
                             std::size_t segment_size) {
  const std::size_t headers =
      transport_start + (is_tcp ? std::size_t{packet.at(transport_start + 12)} / 16 * 4 : 8);
  const auto number_at = [&](std::size_t at, int bytes) {
    std::uint64_t value = 0;
    for (int i = 0; i < bytes; ++i)
      value = value * 256 + packet.at(at++);
    return value;
  };
  std::vector<Bytes> segments;
  for (std::size_t from = headers; from < packet.size(); from += segment_size) {
    const std::size_t to = std::min(from + segment_size, packet.size());
    const bool first = from == headers;
    const bool last = to == packet.size();
    Bytes segment;
    for (std::size_t i = 0; i < headers; ++i)
      segment.push_back(packet.at(i));
    for (std::size_t i = from; i < to; ++i)
      segment.push_back(packet.at(i));
    if (is_v4(packet)) {
      put_word(segment, 2, segment.size());
      put_word(segment, 4, number_at(4, 2) + segments.size());
      set_v4_checksum(segment);
    } else {
      put_word(segment, 4, segment.size() - 40);
    }
    if (is_tcp) {
      const std::uint64_t sequence = number_at(transport_start + 4, 4) + (from - headers);
      put_word(segment, transport_start + 4, sequence >> 16);
      put_word(segment, transport_start + 6, sequence);
      std::uint8_t& flags = segment.at(transport_start + 13);
      if (!first) flags &= 0xff - tcp::kCwr;
      if (!last) flags &= 0xff - tcp::kFin - tcp::kPsh;
    } else {
      put_word(segment, transport_start + 4, segment.size() - transport_start);
    }
    segments.push_back(with_whole_checksum(segment, transport_start, is_tcp));
  }
  return segments;
}

FrameMarks marks_of(const HostFrame& frame) {
  if (!frame.partial_checksum) return {};
  return {.partial_checksum = true,
          .transport_start = frame.checksum_start - std::size_t{14},
          .is_tcp = frame.checksum_offset == 16,
          .segment_size = frame.segmentation == Segmentation::kNone ? 0u : frame.segment_size};
}

Bytes gather(const HostFrame& frame) {
  Bytes bytes;
  for (const Piece* piece = &frame.first; piece != nullptr; piece = piece->next)
    bytes.insert(bytes.end(), piece->at, piece->at + piece->length);
  return bytes;
}

std::vector<Bytes> packets_of(const Bytes& frame, const FrameMarks& marks) {
  const Bytes packet = packet_of(frame);
  if (!marks.partial_checksum) return {packet};
  if (marks.segment_size == 0) {
    return {with_whole_checksum(packet, marks.transport_start, marks.is_tcp)};
  }
  return cut_super(packet, marks.transport_start, marks.is_tcp, marks.segment_size);
}

Bytes random_payload(std::mt19937_64& random, std::size_t size) {
  Bytes bytes(size);
  for (auto& byte : bytes)
    byte = static_cast<std::uint8_t>(random());
  return bytes;
}

}  // namespace ipop::engine
