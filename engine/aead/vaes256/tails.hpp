// The ends of texts, which fill no register, without byte masks: nothing outside of the text is
// read or written. Of a text of 16 bytes or more the last 16 are loaded, or stored, as a whole, and
// shifted to where they belong; shorter ones go in halves of halves.
#pragma once

#include <cstring>

#include "engine/aead/vaes256/registers.hpp"

namespace ipop::engine::vaes256 {

// An order of bytes for a shuffle. From 16 + n on it shifts down by n bytes, with zeros behind;
// from 16 - n, up by n, with zeros before.
struct ByteShifts {
  alignas(64) std::uint8_t bytes[64];

  constexpr ByteShifts() : bytes{} {
    for (int i = 0; i < 64; ++i)
      bytes[i] = i >= 16 && i < 32 ? static_cast<std::uint8_t>(i - 16) : 0x80;
  }
};
constexpr ByteShifts kByteShifts;

[[gnu::always_inline]] inline Block shift_down(Block block, std::size_t bytes) {
  return _mm_shuffle_epi8(block, load_block(kByteShifts.bytes + 16 + bytes));
}
[[gnu::always_inline]] inline Block shift_up(Block block, std::size_t bytes) {
  return _mm_shuffle_epi8(block, load_block(kByteShifts.bytes + 16 - bytes));
}

// All bits of the first `count` bytes of a register.
struct ByteMasks {
  alignas(64) std::uint8_t bytes[64];

  constexpr ByteMasks() : bytes{} {
    for (int i = 0; i < 32; ++i)
      bytes[i] = 0xff;
  }
};
constexpr ByteMasks kByteMasks;

[[gnu::always_inline]] inline Reg first_bytes(std::size_t count) {
  return load(kByteMasks.bytes + kRegSize - count);
}

namespace {

// A whole text of less than 16 bytes.
[[gnu::noinline]] Block load_few(const std::uint8_t* text, std::size_t length) {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  if (length >= 8) {
    std::memcpy(&low, text, 8);
    std::memcpy(&high, text + length - 8, 8);
    high = length == 8 ? 0 : high >> (128 - 8 * length);
  } else if (length >= 4) {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::memcpy(&first, text, 4);
    std::memcpy(&last, text + length - 4, 4);
    low = first | std::uint64_t{last} << (8 * (length - 4));
  } else {
    for (std::size_t i = 0; i < length; ++i)
      low |= std::uint64_t{text[i]} << (8 * i);
  }
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

[[gnu::noinline]] void store_few(std::uint8_t* at, std::size_t length, Block block) {
  auto low = static_cast<std::uint64_t>(_mm_cvtsi128_si64(block));
  if ((length & 8) != 0) {
    std::memcpy(at, &low, 8);
    low = static_cast<std::uint64_t>(_mm_extract_epi64(block, 1));
    at += 8;
  }
  if ((length & 4) != 0) {
    std::memcpy(at, &low, 4);
    low >>= 32;
    at += 4;
  }
  for (std::size_t i = 0; i < (length & 3); ++i)
    at[i] = static_cast<std::uint8_t>(low >> (8 * i));
}

}  // namespace

// What stands from `at` on, at most 32 bytes, to the end of a text of `length` bytes; zeros behind.
[[gnu::always_inline]] inline Reg load_last(const std::uint8_t* text, std::size_t length,
                                            std::size_t at) {
  if (length < kBlockSize) [[unlikely]]
    return _mm256_zextsi128_si256(load_few(text, length));
  // Where the last 16 bytes begin, and the first, unless they are fewer.
  const std::size_t last = length - kBlockSize;
  const std::size_t first = at < last ? at : last;
  return join(shift_down(load_block(text + first), at - first),
              shift_down(load_block(text + last), at + kBlockSize - last));
}

// Stores so many bytes of it there, and no other one.
[[gnu::always_inline]] inline void store_last(std::uint8_t* text, std::size_t length,
                                              std::size_t at, Reg value) {
  if (length < kBlockSize) [[unlikely]] {
    store_few(text, length, first_block(value));
    return;
  }
  Block before = first_block(value);
  Block last = before;
  std::size_t count = length - at;
  if (count > kBlockSize) {
    store_block(text + at, before);
    last = second_block(value);
    count -= kBlockSize;
  } else if (at != 0) {
    before = load_block(text + at - kBlockSize);
  }
  store_block(text + length - kBlockSize,
              _mm_or_si128(shift_down(before, count), shift_up(last, kBlockSize - count)));
}

// The same where the tag will be stored behind the text: what is behind the last byte may be
// written.
[[gnu::always_inline]] inline void store_last_before_tag(std::uint8_t* text, std::size_t length,
                                                         std::size_t at, Reg value) {
  const std::size_t second = at + kBlockSize < length ? at + kBlockSize : length;
  store_block(text + second, second_block(value));
  store_block(text + at, first_block(value));
}

}  // namespace ipop::engine::vaes256
