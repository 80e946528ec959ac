// The replay window of one session's receive side: which counters have been accepted. A ring of
// bits like that of RFC 6479, but cleared to the bit instead of to the word, so that all 8,192 bits
// count. Used by the lcore that owns the session, after the AEAD has opened the datagram.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ipop::engine {

// REJECT-AFTER-MESSAGES (WireGuard paper §6.1): no datagram carries this counter or a higher one.
inline constexpr std::uint64_t kRejectAfterMessages = UINT64_MAX - (1u << 13);

class ReplayWindow {
 public:
  // The highest accepted counter and the 8,191 below it can be told from replays.
  static constexpr std::uint64_t kSize = 8192;

  // True exactly once for each counter, and never for one that is below the window or not below
  // kRejectAfterMessages.
  [[nodiscard]] bool check_and_set(std::uint64_t counter) noexcept {
    std::uint64_t& word = words_[(counter / kWordBits) % kWords];
    const std::uint64_t bit = std::uint64_t{1} << (counter % kWordBits);
    if (counter >= next_) {
      if (counter >= kRejectAfterMessages) [[unlikely]]
        return false;
      // In order there is nothing to clear: the bit's old meaning, counter - kSize, just went out
      // of the window, and the new one is to set it.
      if (counter != next_) [[unlikely]]
        clear(next_, counter);
      word |= bit;
      next_ = counter + 1;
      return true;
    }
    if (next_ - counter > kSize || (word & bit) != 0) return false;
    word |= bit;
    return true;
  }

 private:
  static constexpr std::uint64_t kWordBits = 64;
  static constexpr std::uint64_t kWords = kSize / kWordBits;
  static_assert((kWords & (kWords - 1)) == 0, "the ring's index is a mask");

  // Clears the bits of the counters from `from` up to, and without, `to`.
  void clear(std::uint64_t from, std::uint64_t to) noexcept {
    if (to - from >= kSize) {
      words_.fill(0);
      return;
    }
    const std::uint64_t first = from / kWordBits;
    const std::uint64_t last = to / kWordBits;
    const std::uint64_t below_from = (std::uint64_t{1} << (from % kWordBits)) - 1;
    const std::uint64_t below_to = (std::uint64_t{1} << (to % kWordBits)) - 1;
    if (first == last) {
      words_[first % kWords] &= below_from | ~below_to;
      return;
    }
    words_[first % kWords] &= below_from;
    for (std::uint64_t word = first + 1; word < last; ++word)
      words_[word % kWords] = 0;
    words_[last % kWords] &= ~below_to;
  }

  std::uint64_t next_ = 0;  // one above the highest accepted counter
  std::array<std::uint64_t, kWords> words_{};
};

}  // namespace ipop::engine
