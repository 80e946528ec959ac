#include "engine/net/echo.hpp"

#include <algorithm>
#include <cstdint>

#include "base/checksum.hpp"
#include "base/ip.hpp"
#include "engine/net/ethernet.hpp"

namespace ipop::engine {
namespace {

constexpr std::size_t kIpv4Size = 20;
constexpr std::size_t kIpv6Size = 40;
constexpr std::size_t kEchoSize = 8;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIcmpv6 = 58;
constexpr std::uint8_t kTtl = 64;

struct Echo {
  std::size_t message = 0;  // from the IP header; 0: there is none
  std::size_t end = 0;
  std::size_t addresses = 0;
  std::size_t address_size = 0;
};

Echo find_v4(ByteView packet) noexcept {
  if (packet.size() < kIpv4Size || packet[9] != kIcmp) return {};
  const std::size_t header = (packet[0] & 0x0fu) * 4;
  const std::size_t total = load_be<std::uint16_t>(&packet[2]);
  const bool fragment = (load_be<std::uint16_t>(&packet[6]) & 0x3fff) != 0;
  if (header != kIpv4Size || fragment || total > packet.size() || total < header + kEchoSize)
    return {};
  const IpAddress source = IpAddress::v4_at(&packet[12]);
  if (packet[header] != 8 || packet[header + 1] != 0 || source.is_unspecified() ||
      source.is_multicast() || internet_checksum(packet.first(header)) != 0 ||
      internet_checksum(packet.subspan(header, total - header)) != 0) {
    return {};
  }
  return {.message = header, .end = total, .addresses = 12, .address_size = 4};
}

Echo find_v6(ByteView packet) noexcept {
  if (packet.size() < kIpv6Size + kEchoSize || packet[6] != kIcmpv6) return {};
  const std::size_t total = kIpv6Size + load_be<std::uint16_t>(&packet[4]);
  if (total > packet.size() || total < kIpv6Size + kEchoSize) return {};
  const IpAddress source = IpAddress::v6_at(&packet[8]);
  const ByteView message = packet.subspan(kIpv6Size, total - kIpv6Size);
  if (message[0] != 128 || message[1] != 0 || source.is_unspecified() || source.is_multicast() ||
      source.is_v4() || IpAddress::v6_at(&packet[24]).is_v4()) {
    return {};
  }
  ChecksumSum sum;
  sum.add_pseudo_header(source, IpAddress::v6_at(&packet[24]), kIcmpv6,
                        static_cast<std::uint32_t>(message.size()));
  sum.add(message);
  if (sum.finish() != 0) return {};
  return {.message = kIpv6Size, .end = total, .addresses = 8, .address_size = 16};
}

}  // namespace

bool turn_into_echo_reply(MutableBytes frame, std::size_t ip) noexcept {
  if (frame.size() <= ip || ip < kEthernetHeader || !MacAddress::at(&frame[0]).is_unicast() ||
      !MacAddress::at(&frame[6]).is_unicast()) {
    return false;
  }
  const MutableBytes packet = frame.subspan(ip);
  const bool v4 = packet[0] >> 4 == 4;
  const Echo echo = v4 ? find_v4(packet) : packet[0] >> 4 == 6 ? find_v6(packet) : Echo{};
  if (echo.message == 0) return false;
  std::swap_ranges(&frame[0], &frame[6], &frame[6]);
  std::uint8_t* const source = &packet[echo.addresses];
  std::swap_ranges(source, source + echo.address_size, source + echo.address_size);
  const MutableBytes message = packet.subspan(echo.message, echo.end - echo.message);
  message[0] = v4 ? 0 : 129;
  store_be<std::uint16_t>(&message[2], 0);
  ChecksumSum sum;
  sum.add(message);
  if (v4) {
    packet[8] = kTtl;
    store_be<std::uint16_t>(&packet[10], 0);
    store_be(&packet[10], internet_checksum(packet.first(kIpv4Size)));
  } else {
    packet[7] = kTtl;
    sum.add_pseudo_header(IpAddress::v6_at(&packet[8]), IpAddress::v6_at(&packet[24]), kIcmpv6,
                          static_cast<std::uint32_t>(message.size()));
  }
  store_be(&message[2], sum.finish());
  return true;
}

}  // namespace ipop::engine
