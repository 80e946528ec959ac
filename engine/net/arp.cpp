#include "engine/net/arp.hpp"

#include "engine/net/ethernet.hpp"

namespace ipop::engine {
namespace {

constexpr std::uint16_t kEthernet = 1;
constexpr std::uint8_t kMacSize = 6;
constexpr std::uint8_t kIpv4Size = 4;

}  // namespace

std::optional<ArpMessage> parse_arp(ByteView message) noexcept {
  ByteReader in(message);
  const bool ethernet = in.be<std::uint16_t>() == kEthernet;
  const bool ipv4 = in.be<std::uint16_t>() == kEtherTypeIpv4;
  const bool mac_size = in.u8() == kMacSize;
  const bool ip_size = in.u8() == kIpv4Size;
  ArpMessage parsed;
  parsed.operation = in.be<std::uint16_t>();
  in.copy(parsed.sender_mac.bytes);
  parsed.sender = IpAddress::v4(in.be<std::uint32_t>());
  in.copy(parsed.target_mac.bytes);
  parsed.target = IpAddress::v4(in.be<std::uint32_t>());
  if (!in.ok() || !ethernet || !ipv4 || !mac_size || !ip_size || !parsed.sender_mac.is_unicast()) {
    return std::nullopt;
  }
  return parsed;
}

void write_arp(const ArpMessage& message, ByteWriter& out) noexcept {
  out.be(kEthernet);
  out.be(kEtherTypeIpv4);
  out.u8(kMacSize);
  out.u8(kIpv4Size);
  out.be(message.operation);
  out.bytes(message.sender_mac.bytes);
  out.be(message.sender.v4());
  out.bytes(message.target_mac.bytes);
  out.be(message.target.v4());
}

}  // namespace ipop::engine
