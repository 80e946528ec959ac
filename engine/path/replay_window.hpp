// The replay window of one session's receive side: which counters have been accepted. A ring of
// bits like that of RFC 6479, but cleared to the bit instead of to the word, so that all 8,192 bits
// count. The word in which the next counter falls stands in front of the ring: what comes in order
// touches the object's first 16 bytes alone. Used by the lcore that owns the session, after the
// AEAD has opened the datagram.
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
    // In order there is nothing to clear: the bit's old meaning, counter - kSize, just went out of
    // the window, and the new one is to set it.
    if (counter != next_) [[unlikely]]
      return check_and_set_out_of_order(counter);
    if (counter >= kRejectAfterMessages) [[unlikely]]
      return false;
    head_ |= bit_of(counter);
    ++next_;
    if (next_ % kWordBits == 0) [[unlikely]]
      move_head(counter, next_);
    return true;
  }

 private:
  static constexpr std::uint64_t kWordBits = 64;
  static constexpr std::uint64_t kWords = kSize / kWordBits;
  static_assert((kWords & (kWords - 1)) == 0, "the ring's index is a mask");

  [[nodiscard]] static std::uint64_t bit_of(std::uint64_t counter) noexcept {
    return std::uint64_t{1} << (counter % kWordBits);
  }
  [[nodiscard]] std::uint64_t& word_of(std::uint64_t counter) noexcept {
    return words_[(counter / kWordBits) % kWords];
  }

  [[nodiscard]] bool check_and_set_out_of_order(std::uint64_t counter) noexcept {
    if (counter > next_) {
      if (counter >= kRejectAfterMessages) return false;
      word_of(next_) = head_;
      clear(next_, counter);
      head_ = word_of(counter) | bit_of(counter);
      const std::uint64_t after = counter + 1;
      if (after % kWordBits == 0) move_head(counter, after);
      next_ = after;
      return true;
    }
    if (next_ - counter > kSize) return false;
    // The ring's word under the head is out of date, for counters of the round before, too.
    std::uint64_t& ring = word_of(counter);
    std::uint64_t& word = &ring == &word_of(next_) ? head_ : ring;
    if ((word & bit_of(counter)) != 0) return false;
    word |= bit_of(counter);
    return true;
  }

  void move_head(std::uint64_t from, std::uint64_t to) noexcept {
    word_of(from) = head_;
    head_ = word_of(to);
  }

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
  std::uint64_t head_ = 0;  // stands for word_of(next_)
  std::array<std::uint64_t, kWords> words_{};
};

}  // namespace ipop::engine
