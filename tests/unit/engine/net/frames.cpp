#include "frames.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "base/text.hpp"

namespace ipop::engine::testing {
namespace {

void append(Bytes& to, ByteView more) {
  to.insert(to.end(), more.begin(), more.end());
}

void append16(Bytes& to, std::size_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}

ByteView as_v4(const IpAddress& address) {
  return ByteView(address.bytes()).last(4);
}

bool is_v4(ByteView packet) {
  return packet[0] >> 4 == 4;
}

// Where the message of a packet starts.
std::size_t header_of(ByteView packet) {
  return is_v4(packet) ? (packet[0] & 0x0fu) * 4 : 40;
}

std::uint8_t protocol_of(ByteView packet) {
  return is_v4(packet) ? packet[9] : packet[6];
}

ByteView message_of(ByteView packet) {
  const std::size_t header = header_of(packet);
  const auto number = [&](std::size_t at) { return packet[at] * 256u + packet[at + 1]; };
  if (protocol_of(packet) == 17) return packet.subspan(header, number(header + 4));
  return packet.subspan(header, is_v4(packet) ? number(2) - header : number(4));
}

// RFC 768, RFC 8200 §8.1.
Bytes pseudo_header_of(ByteView packet) {
  Bytes header = join({is_v4(packet) ? packet.subspan(12, 8) : packet.subspan(8, 32)});
  append16(header, message_of(packet).size());
  append16(header, protocol_of(packet));
  return header;
}

}  // namespace

IpAddress ip(const std::string& text) {
  const auto address = IpAddress::parse(text);
  EXPECT_TRUE(address) << text;
  return address.value_or(IpAddress());
}

Bytes hex(const std::string& text) {
  std::string digits;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0) digits.push_back(c);
  }
  const auto bytes = from_hex(digits);
  EXPECT_TRUE(bytes) << text;
  return bytes.value_or(Bytes());
}

Bytes join(std::initializer_list<ByteView> parts) {
  Bytes whole;
  for (const ByteView part : parts)
    append(whole, part);
  return whole;
}

Bytes with(Bytes bytes, std::size_t at, std::uint8_t value) {
  bytes.at(at) = value;
  return bytes;
}

std::uint16_t slow_checksum(ByteView bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? bytes[i] * 256u : bytes[i];
    if (sum > 0xffff) sum -= 0xffff;
  }
  return static_cast<std::uint16_t>(~sum);
}

std::uint16_t slow_message_checksum(ByteView packet) {
  const ByteView message = message_of(packet);
  if (is_v4(packet) && protocol_of(packet) == 1) return slow_checksum(message);
  return slow_checksum(join({pseudo_header_of(packet), message}));
}

std::uint16_t pseudo_header_sum(ByteView packet) {
  return static_cast<std::uint16_t>(~slow_checksum(pseudo_header_of(packet)));
}

Bytes summed(Bytes packet) {
  const bool is_udp = protocol_of(packet) == 17;
  std::uint8_t* const at = &packet[header_of(packet) + (is_udp ? 6 : 2)];
  store_be<std::uint16_t>(at, 0);
  const std::uint16_t checksum = slow_message_checksum(packet);
  store_be<std::uint16_t>(at, is_udp && checksum == 0 ? 0xffff : checksum);
  return packet;
}

Bytes Ipv4::bytes() const {
  Bytes packet{static_cast<std::uint8_t>(0x45 + options.size() / 4), 0};
  append16(packet, 20 + options.size() + payload.size());
  append16(packet, 0x0007);
  append16(packet, fragment);
  append(packet, Bytes{63, protocol, 0, 0});
  append(packet, as_v4(ip(source)));
  append(packet, as_v4(ip(destination)));
  append(packet, options);
  store_be(&packet[10], slow_checksum(packet));
  append(packet, payload);
  return packet;
}

Bytes Ipv6::bytes() const {
  Bytes packet = hex("6a012345");
  append16(packet, payload.size());
  append(packet, Bytes{next, hop_limit});
  append(packet, ip(source).bytes());
  append(packet, ip(destination).bytes());
  append(packet, payload);
  return packet;
}

Bytes udp(std::uint16_t from, std::uint16_t to, ByteView payload) {
  Bytes datagram;
  append16(datagram, from);
  append16(datagram, to);
  append16(datagram, 8 + payload.size());
  append16(datagram, 0);
  append(datagram, payload);
  return datagram;
}

Bytes echo_request(std::uint8_t type, ByteView data) {
  return join({Bytes{type, 0, 0, 0, 0x12, 0x34, 0, 1}, data});
}

Bytes NeighbourPacket::bytes() const {
  Bytes message{type, code, 0, 0, flags, 0, 0, 0};
  append(message, ip(target).bytes());
  append(message, options);
  return summed(Ipv6{.source = source,
                     .destination = destination,
                     .next = 58,
                     .hop_limit = hop_limit,
                     .payload = message}
                    .bytes());
}

Bytes arp(std::uint16_t operation, const MacAddress& sender_mac, const std::string& sender,
          const MacAddress& target_mac, const std::string& target) {
  Bytes message = hex("0001 0800 06 04");
  append16(message, operation);
  append(message, sender_mac.bytes);
  append(message, as_v4(ip(sender)));
  append(message, target_mac.bytes);
  append(message, as_v4(ip(target)));
  return message;
}

Bytes framed(const MacAddress& to, const MacAddress& from, std::uint16_t type, ByteView packet,
             ByteView tag) {
  Bytes frame = join({to.bytes, from.bytes, tag});
  append16(frame, type);
  append(frame, packet);
  return frame;
}

}  // namespace ipop::engine::testing
