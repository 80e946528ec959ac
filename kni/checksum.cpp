#include "kni/checksum.hpp"

#include "base/checksum.hpp"
#include "engine/net/ethernet.hpp"

namespace ipop::kni {

bool complete_checksum(MutableBytes frame, std::size_t start, std::size_t offset) noexcept {
  if (start < engine::kEthernetHeader || start >= frame.size() ||
      frame.size() - start < offset + 2) {
    return false;
  }
  const std::uint16_t checksum = internet_checksum(frame.subspan(start));
  // Zero means "none" in UDP; its other form, all ones, is right for every protocol (RFC 768).
  store_be<std::uint16_t>(&frame[start + offset], checksum == 0 ? 0xffff : checksum);
  return true;
}

}  // namespace ipop::kni
