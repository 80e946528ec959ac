// The headers that a flow's next packet has if it goes on where the last one ended: all of their
// bytes are known beforehand, so a packet that has them needs no parsing, as with Van Jacobson's
// header prediction. For flows whose checksums are partial: what they sum up is known too.
// One lcore; pure.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"
#include "engine/path/transport.hpp"

namespace ipop::engine {

class NextSegment {
 public:
  void forget() noexcept { length_ = 0; }

  // From now on: what comes after `packet`, the latest of a flow, whose partial checksum is no
  // longer marked. `counts`: IPv4 ids go up by one with each packet. Nothing is expected after a
  // packet with more headers than any kernel's TCP has.
  void follow(const std::uint8_t* packet, Transport transport, bool counts) noexcept;

  // `packet` as it was opened, its partial checksum marked; `length` of all of it.
  [[nodiscard]] bool is(const std::uint8_t* packet, std::uint32_t length) const noexcept {
    if (length != length_ || length == 0) return false;
    std::uint64_t difference = word_at(packet + last_at_) ^ last_word_;
    for (std::uint32_t i = 0; i < words_; ++i)
      difference |= word_at(packet + 8 * i) ^ expected_[i];
    return difference == 0;
  }
  // That one came.
  void advance() noexcept;

  [[nodiscard]] std::uint32_t headers() const noexcept { return last_at_ + 8; }
  [[nodiscard]] std::uint32_t payload() const noexcept { return payload_; }

 private:
  static constexpr std::uint32_t kMostWords = 9;  // IPv6 and TCP with time stamps

  // IPv4's id stands in the first word, its checksum in the second; the sequence number begins the
  // fourth. IPv6 has it at the end of the sixth.
  static constexpr unsigned kIdShift = 16;
  static constexpr unsigned kChecksumShift = 32;
  static constexpr std::uint32_t kSequenceWord4 = 3;
  static constexpr std::uint32_t kSequenceWord6 = 5;
  static constexpr unsigned kSequenceShift4 = 32;

  static std::uint64_t word_at(const std::uint8_t* at) noexcept {
    std::uint64_t word;
    std::memcpy(&word, at, sizeof word);
    return word;
  }
  static std::uint64_t number(std::uint64_t word) noexcept {
    return std::endian::native == std::endian::big ? word : swap_bytes(word);
  }

  // Whole words, stored and loaded as such: a load never waits for a narrower store. What does not
  // fill one at the end is compared by a word that overlaps the one before: ports, flags, window or
  // options, which do not change.
  std::array<std::uint64_t, kMostWords> expected_;
  std::uint64_t last_word_ = 0;
  std::uint32_t words_ = 0;
  std::uint32_t last_at_ = 0;
  std::uint32_t length_ = 0;  // 0 = nothing is expected
  std::uint32_t payload_ = 0;
  bool v4_ = false;
  bool tcp_ = false;
  bool counts_ = false;
};

inline void NextSegment::advance() noexcept {
  if (v4_ && counts_) {
    const std::uint64_t first = number(expected_[0]);
    // At its wrap the arithmetic below would be wrong by one.
    if ((first >> kIdShift & 0xffff) == 0xffff) [[unlikely]] {
      forget();
      return;
    }
    expected_[0] = number(first + (std::uint64_t{1} << kIdShift));
    // RFC 1624: a header's sum grows by as much as its id.
    const std::uint64_t second = number(expected_[1]);
    std::uint64_t sum = (~second >> kChecksumShift & 0xffff) + 1;
    sum = (sum >> 16) + (sum & 0xffff);
    expected_[1] = number((second & ~(std::uint64_t{0xffff} << kChecksumShift)) |
                          (~sum & 0xffff) << kChecksumShift);
  }
  if (!tcp_) return;
  if (v4_) {
    expected_[kSequenceWord4] =
        number(number(expected_[kSequenceWord4]) + (std::uint64_t{payload_} << kSequenceShift4));
  } else {
    const std::uint64_t word = number(expected_[kSequenceWord6]);
    const auto sequence = static_cast<std::uint32_t>(word + payload_);
    expected_[kSequenceWord6] = number((word >> 32 << 32) | sequence);
  }
}

}  // namespace ipop::engine
