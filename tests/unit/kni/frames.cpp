#include "frames.hpp"

#include <gtest/gtest.h>

#include <cctype>

#include "base/text.hpp"
#include "kni/derived_mac.hpp"

namespace ipop::kni::testing {
namespace {

void append(Bytes& to, ByteView more) {
  to.insert(to.end(), more.begin(), more.end());
}

void append16(Bytes& to, std::size_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}

ByteView in_packet(const IpAddress& address) {
  const ByteView bytes = address.bytes();
  return address.is_v4() ? bytes.last(4) : bytes;
}

Bytes ipv6_packet(const IpAddress& source, const IpAddress& destination, std::uint8_t next,
                  std::uint8_t hop_limit, ByteView payload) {
  Bytes packet = hex("60000000");
  append16(packet, payload.size());
  packet.push_back(next);
  packet.push_back(hop_limit);
  append(packet, in_packet(source));
  append(packet, in_packet(destination));
  append(packet, payload);
  return packet;
}

Bytes ipv4_packet(const IpAddress& source, const IpAddress& destination, ByteView payload) {
  Bytes packet = hex("4500");
  append16(packet, 20 + payload.size());
  append(packet, hex("0000 4000 4011 0000"));
  append(packet, in_packet(source));
  append(packet, in_packet(destination));
  store_be(&packet[10], slow_checksum(packet));
  append(packet, payload);
  return packet;
}

}  // namespace

IpAddress ip(const char* text) {
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

std::uint16_t slow_checksum(ByteView bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? bytes[i] * 256u : bytes[i];
    if (sum > 0xffff) sum -= 0xffff;
  }
  return static_cast<std::uint16_t>(~sum);
}

std::uint16_t slow_ipv6_checksum(ByteView packet) {
  Bytes summed(packet.begin() + 8, packet.begin() + 40);
  const ByteView message = packet.subspan(40);
  append16(summed, 0);
  append16(summed, message.size());
  append16(summed, 0);
  append16(summed, packet[6]);
  append(summed, message);
  return slow_checksum(summed);
}

Bytes arp_request(const char* sender, const char* target) {
  Bytes frame;
  append(frame, kBroadcast.bytes);
  append(frame, kHostMac.bytes);
  append(frame, hex("0806 0001 0800 06 04 0001"));
  append(frame, kHostMac.bytes);
  append(frame, in_packet(ip(sender)));
  append(frame, hex("000000000000"));
  append(frame, in_packet(ip(target)));
  return frame;
}

Bytes neighbour_solicitation(const Solicitation& what) {
  Bytes message{what.type, what.code, 0, 0, 0, 0, 0, 0};
  append(message, in_packet(ip(what.target.c_str())));
  append(message, what.options);
  Bytes packet = ipv6_packet(ip(what.source.c_str()), ip(what.destination.c_str()), 58,
                             what.hop_limit, message);
  store_be(&packet[42], slow_ipv6_checksum(packet));
  Bytes frame = hex("3333ff000020");
  append(frame, kHostMac.bytes);
  append(frame, hex("86dd"));
  append(frame, packet);
  return frame;
}

Bytes udp_frame(const MacAddress& to, const Endpoint& from, const Endpoint& at,
                const std::string& text) {
  Bytes datagram;
  append16(datagram, from.port);
  append16(datagram, at.port);
  append16(datagram, 8 + text.size());
  append16(datagram, 0);
  datagram.insert(datagram.end(), text.begin(), text.end());
  const bool v4 = from.address.is_v4();
  Bytes packet = v4 ? ipv4_packet(from.address, at.address, datagram)
                    : ipv6_packet(from.address, at.address, 17, 64, datagram);
  // IPv4 lets UDP go without a checksum, IPv6 does not.
  if (!v4) store_be(&packet[46], slow_ipv6_checksum(packet));
  Bytes frame;
  append(frame, to.bytes);
  append(frame, derived_mac(from.address).bytes);
  append(frame, v4 ? hex("0800") : hex("86dd"));
  append(frame, packet);
  return frame;
}

}  // namespace ipop::kni::testing
