#include "kni/derived_mac.hpp"

#include <functional>

namespace ipop::kni {

MacAddress derived_mac(const IpAddress& address) noexcept {
  MacAddress mac;
  if (address.is_v4()) {
    mac.bytes[0] = 0x02;
    mac.bytes[1] = 0x49;
    store_be<std::uint32_t>(&mac.bytes[2], address.v4());
    return mac;
  }
  const std::uint64_t hash = std::hash<IpAddress>{}(address);
  mac.bytes[0] = 0x06;
  mac.bytes[1] = static_cast<std::uint8_t>(hash >> 56);
  store_be<std::uint32_t>(&mac.bytes[2], static_cast<std::uint32_t>(hash >> 24));
  return mac;
}

}  // namespace ipop::kni
