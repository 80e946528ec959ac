// The tags of a burst by Poly1305 as ChaCha20-Poly1305 uses it (RFC 8439 §2.8): no additional data,
// the ciphertext with zeros to a whole block of 16 bytes, and a block with both lengths.
//
// Numbers are two words of 64 bits and a little more, multiplied by the integer units, which have
// nothing to do while the vector units make key streams. One packet is a chain in which each block
// waits for the one before; four packets side by side fill the time of waiting.
// Only for a source that is compiled for BMI2; everything here has internal linkage.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/aead/chacha256/tails.hpp"
#include "engine/aead/gcm/constant_time.hpp"

namespace ipop::engine::chacha256 {
namespace {

inline constexpr std::size_t kPolyBlock = 16;
__extension__ typedef unsigned __int128 Wide;

// Sums of words with their carries. gcc 12 makes of these, written in C++, a comparison and two
// moves for each carry, and the whole kernel a third slower. MemorySanitizer does not see through
// assembler, so that what it checks is the C++.
struct Double {
  std::uint64_t low;
  std::uint64_t high;

  [[gnu::always_inline]] void add(const Double& other) {
#ifdef IPOP_SECRETS_ARE_MARKED
    const Wide sum =
        (static_cast<Wide>(high) << 64 | low) + (static_cast<Wide>(other.high) << 64 | other.low);
    low = static_cast<std::uint64_t>(sum);
    high = static_cast<std::uint64_t>(sum >> 64);
#else
    __asm__("add %2, %0\n\tadc %3, %1"
            : "+&r"(low), "+&r"(high)
            : "rm"(other.low), "rm"(other.high)
            : "cc");
#endif
  }
};

[[gnu::always_inline]] inline Double product(std::uint64_t a, std::uint64_t b) {
  const Wide whole = static_cast<Wide>(a) * b;
  return {static_cast<std::uint64_t>(whole), static_cast<std::uint64_t>(whole >> 64)};
}

struct Sum {
  std::uint64_t word[3];

  [[gnu::always_inline]] void add(std::uint64_t a, std::uint64_t b, std::uint64_t c) {
#ifdef IPOP_SECRETS_ARE_MARKED
    Wide sum = static_cast<Wide>(word[0]) + a;
    word[0] = static_cast<std::uint64_t>(sum);
    sum = static_cast<Wide>(word[1]) + b + static_cast<std::uint64_t>(sum >> 64);
    word[1] = static_cast<std::uint64_t>(sum);
    word[2] += c + static_cast<std::uint64_t>(sum >> 64);
#else
    __asm__("add %3, %0\n\tadc %4, %1\n\tadc %5, %2"
            : "+&r"(word[0]), "+&r"(word[1]), "+&r"(word[2])
            : "rm"(a), "rm"(b), "ri"(c)
            : "cc");
#endif
  }
};

// One packet on its way to its tag.
struct Message {
  // A block 0 of ChaCha20: r, s, and what nobody uses.
  alignas(32) std::uint8_t key[64];
  // The last bytes of the text with zeros, where there are such, and the lengths.
  std::uint8_t end[2 * kPolyBlock];
  const std::uint8_t* at;  // the next block
  std::uint64_t left;      // so many blocks are left there
  std::uint64_t end_left;  // and so many in `end`, once `at` does not point to it
  std::uint64_t h[3];
  std::uint64_t r[2];
  std::uint64_t folded;  // 5 / 4 r[1], whole as r[1] is a multiple of 4 (§2.5)
  bool done;

  // With the key made, and the ciphertext complete.
  [[gnu::always_inline]] void start(const std::uint8_t* text, std::uint64_t length) {
    constexpr std::uint64_t kLow = 0x0ffffffc0fffffff;
    constexpr std::uint64_t kHigh = 0x0ffffffc0ffffffc;
    r[0] = load64(key) & kLow;
    r[1] = load64(key + 8) & kHigh;
    folded = r[1] + (r[1] >> 2);
    h[0] = h[1] = h[2] = 0;
    at = text;
    left = length / kPolyBlock;
    const std::size_t rest = length % kPolyBlock;
    std::uint8_t* lengths = end;
    if (rest != 0) {
      store64(end, 0);
      store64(end + 8, 0);
      copy_below<kPolyBlock>(end, text + length - rest, rest);
      lengths += kPolyBlock;
    }
    store64(lengths, 0);
    store64(lengths + 8, length);
    end_left = rest != 0 ? 2 : 1;
    done = false;
    if (left == 0) go_to_end();
  }

  [[gnu::always_inline]] void go_to_end() {
    at = end;
    left = end_left;
    end_left = 0;
  }

  // h = (h + block + 2^128) r, reduced to a little more than 130 bits; `folded` stands for
  // r[1] 2^128.
  [[gnu::always_inline]] void absorb() {
    Sum sum{{h[0], h[1], h[2]}};
    sum.add(load64(at), load64(at + 8), 1);
    const std::uint64_t a0 = sum.word[0];
    const std::uint64_t a1 = sum.word[1];
    const std::uint64_t a2 = sum.word[2];
    Double first = product(a0, r[0]);
    first.add(product(a1, folded));
    Double second = product(a0, r[1]);
    second.add(product(a1, r[0]));
    // Both are below 2^63.
    second.add({a2 * folded + first.high, 0});
    // Below 2^63.4: a2 is 6 at most and r[0] below 2^60, so that nothing here is lost.
    const std::uint64_t high = a2 * r[0] + second.high;
    Sum reduced{{first.low, second.low, high & 3}};
    reduced.add((high >> 2) + (high & ~std::uint64_t{3}), 0, 0);
    h[0] = reduced.word[0];
    h[1] = reduced.word[1];
    h[2] = reduced.word[2];
    at += kPolyBlock;
    --left;
  }

  // h below 2^130 - 5, without a branch, and s added.
  [[gnu::always_inline]] void make_tag(std::uint64_t (&tag)[2]) const {
    Wide sum = static_cast<Wide>(h[0]) + 5;
    const auto less0 = static_cast<std::uint64_t>(sum);
    sum = static_cast<Wide>(h[1]) + static_cast<std::uint64_t>(sum >> 64);
    const auto less1 = static_cast<std::uint64_t>(sum);
    const std::uint64_t over = (h[2] + static_cast<std::uint64_t>(sum >> 64)) >> 2;
    const std::uint64_t mask = 0 - over;
    const std::uint64_t h0 = h[0] ^ ((h[0] ^ less0) & mask);
    const std::uint64_t h1 = h[1] ^ ((h[1] ^ less1) & mask);
    sum = static_cast<Wide>(h0) + load64(key + 16);
    tag[0] = static_cast<std::uint64_t>(sum);
    tag[1] = h1 + load64(key + 24) + static_cast<std::uint64_t>(sum >> 64);
  }
};

// Four messages at a time, in their order; whoever is done makes place for the next.
class Authenticator {
 public:
  [[gnu::always_inline]] explicit Authenticator(Message* messages) : messages_(messages) {
    none_.left = none_.end_left = 0;
    for (Message*& lane : lanes_)
      lane = &none_;
  }

  // One more of them is started.
  [[gnu::always_inline]] void offer() { ++offered_; }
  [[gnu::always_inline]] bool busy() const { return finished_ < offered_; }

  // A block of one of the four.
  template <int kLane>
  [[gnu::always_inline]] void step_one() {
    Message*& lane = lanes_[kLane];
    if (lane->left == 0 && !advance(lane)) return;
    lane->absorb();
  }

  // A block of each.
  [[gnu::always_inline]] void step() {
    step_one<0>();
    step_one<1>();
    step_one<2>();
    step_one<3>();
  }

 private:
  static constexpr std::size_t kLanes = 4;

  // To the end of the text or to the next message; whether there is a block.
  [[gnu::always_inline]] bool advance(Message*& lane) {
    if (lane->end_left != 0) {
      lane->go_to_end();
      return true;
    }
    if (lane != &none_) {
      lane->done = true;
      ++finished_;
    }
    lane = taken_ < offered_ ? &messages_[taken_++] : &none_;
    return lane != &none_;
  }

  Message* messages_;
  Message* lanes_[kLanes];
  std::size_t offered_ = 0;
  std::size_t taken_ = 0;
  std::size_t finished_ = 0;
  Message none_;
};

}  // namespace
}  // namespace ipop::engine::chacha256
