// Addresses in the formats that nodes sign: family (4 or 6), then 4 or 16 bytes. One encoding per
// address, so an IPv4 address as 16 bytes is an error. Any thread.
#pragma once

#include "base/bytes.hpp"
#include "base/ip.hpp"

namespace ipop::overlay {

inline constexpr std::size_t kMaxEncodedAddress = 17;

inline void write_address(ByteWriter& writer, const IpAddress& address) noexcept {
  if (address.is_v4()) {
    writer.u8(4);
    writer.be(address.v4());
  } else {
    writer.u8(6);
    writer.bytes(address.bytes());
  }
}

// The reader fails on an unknown family and on an IPv4 address in IPv6 form.
[[nodiscard]] inline IpAddress read_address(ByteReader& reader) noexcept {
  const std::uint8_t family = reader.u8();
  if (family == 4) return IpAddress::v4(reader.be<std::uint32_t>());
  if (family == 6) {
    if (const ByteView bytes = reader.bytes(16); reader.ok()) {
      const IpAddress address = IpAddress::v6_at(bytes.data());
      if (!address.is_v4()) return address;
    }
  }
  (void)reader.bytes(reader.remaining() + 1);  // fails the reader
  return {};
}

}  // namespace ipop::overlay
