#include "engine/path/next_segment.hpp"

namespace ipop::engine {

void NextSegment::follow(const std::uint8_t* packet, Transport transport, bool counts) noexcept {
  const std::uint32_t headers = transport.headers();
  if (headers > 8 * kMostWords) [[unlikely]] {
    forget();
    return;
  }
  words_ = headers / 8;
  for (std::uint32_t i = 0; i < words_; ++i)
    expected_[i] = word_at(packet + 8 * i);
  expected_[0] |= number(std::uint64_t{kPartialBit} << 56);
  last_at_ = headers - 8;
  last_word_ = word_at(packet + last_at_);
  length_ = headers + transport.payload();
  payload_ = transport.payload();
  v4_ = packet[0] >> 4 == 4;
  tcp_ = transport.protocol == kProtocolTcp;
  counts_ = counts;
  advance();
}

}  // namespace ipop::engine
