#include "base/mac_address.hpp"

#include <fmt/format.h>

namespace ipop {

std::string MacAddress::to_string() const {
  return fmt::format("{:02x}", fmt::join(bytes, ":"));
}

}  // namespace ipop
