#include "engine/net/plain_datagram.hpp"

namespace ipop::engine {

PlainDatagrams::PlainDatagrams(const LinkSettings& settings) noexcept : vlan_(settings.vlan) {
  std::uint8_t mac[8] = {};
  settings.mac.write_to(mac);
  mac_ = load_le<std::uint64_t>(mac);
  for (const Prefix& own : settings.addresses) {
    if (own.address.is_v4()) {
      own4_ = own.address.v4();
    } else {
      own6_ = own.address;
    }
  }
}

// IPv6 always has a UDP checksum: without the card's word, summing it takes longer than all this.
bool PlainDatagrams::parse_v6(ByteView frame, CardChecks checked,
                              PlainDatagram& into) const noexcept {
  if (!checked.udp || frame.size() < plain::kHeaders6 || own6_.is_unspecified()) return false;
  const std::uint8_t* const ip = frame.data() + plain::kIp;
  const std::uint8_t* const udp = ip + 40;
  const std::uint32_t length = load_be<std::uint16_t>(ip + 4);
  if (ip[0] >> 4 != 6 || length > frame.size() - plain::kIp - 40 || length < 8 ||
      ip[6] != plain::kUdp || load_be<std::uint16_t>(udp + 4) != length ||
      load_le<std::uint16_t>(udp + 6) == 0 || IpAddress::v6_at(ip + 24) != own6_) {
    return false;
  }
  const IpAddress source = IpAddress::v6_at(ip + 8);
  if (source.is_v4() || source.is_multicast() || source.is_unspecified() || source.is_loopback() ||
      source == own6_) {
    return false;
  }
  into.source = {source, load_be<std::uint16_t>(udp)};
  into.port = load_be<std::uint16_t>(udp + 2);
  into.start = plain::kHeaders6;
  into.length = static_cast<std::uint16_t>(length - 8);
  return into.source.port != 0;
}

}  // namespace ipop::engine
