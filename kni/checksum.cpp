#include "kni/checksum.hpp"

namespace ipop::kni {
namespace {

constexpr std::size_t kEthernetSize = 14;
constexpr std::uint64_t kProtocolIcmpv6 = 58;

}  // namespace

std::uint64_t add_words(std::uint64_t sum, ByteView bytes) noexcept {
  std::size_t at = 0;
  for (; at + 2 <= bytes.size(); at += 2)
    sum += load_be<std::uint16_t>(&bytes[at]);
  if (at < bytes.size()) sum += std::uint64_t{bytes[at]} << 8;
  return sum;
}

std::uint16_t fold_checksum(std::uint64_t sum) noexcept {
  while (sum > 0xffff)
    sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(~sum);
}

std::uint16_t icmpv6_checksum(ByteView source, ByteView destination, ByteView message) noexcept {
  std::uint64_t sum = message.size() + kProtocolIcmpv6;
  sum = add_words(sum, source);
  sum = add_words(sum, destination);
  return fold_checksum(add_words(sum, message));
}

bool complete_checksum(MutableBytes frame, std::size_t start, std::size_t offset) noexcept {
  if (start < kEthernetSize || start >= frame.size() || frame.size() - start < offset + 2) {
    return false;
  }
  const std::uint16_t checksum = fold_checksum(add_words(0, frame.subspan(start)));
  // Zero means "none" in UDP; its other form, all ones, is right for every protocol (RFC 768).
  store_be<std::uint16_t>(&frame[start + offset], checksum == 0 ? 0xffff : checksum);
  return true;
}

}  // namespace ipop::kni
