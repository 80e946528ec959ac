// The tags of eight packets by Poly1305 as ChaCha20-Poly1305 uses it (RFC 8439 §2.8): no additional
// data, the ciphertext with zeros to a whole block of 16 bytes, and a block with both lengths.
//
// Packets of a group may differ in length. They are laid with their ends side by side: all have
// their last block at the end of the last row of 64 bytes, and a shorter packet begins later. Until
// then its lane holds zero, which no multiplication changes, so that nothing needs to be frozen.
// Only for a source that is compiled for AVX-512; everything here has internal linkage.
#pragma once

#include "engine/aead/avx512/poly1305.hpp"
#include "engine/aead/avx512/unrolled.hpp"

namespace ipop::engine::avx512 {
namespace {

inline constexpr std::size_t kGroup = 8;
inline constexpr std::int64_t kRow = 64;  // four blocks of Poly1305

// A block 0 of ChaCha20: the halves of the key are followed by what nobody uses.
struct OneTimeKey {
  std::uint8_t r[16];
  std::uint8_t s[16];
};

// The packets of a group; where there are fewer than eight, one of them stands in several lanes.
struct Members {
  alignas(64) const std::uint8_t* text[kGroup];
  alignas(64) std::int64_t length[kGroup];
  const OneTimeKey* key[kGroup];
};

// From 64 bytes of each of eight packets to a register for each of their eight words.
struct Words {
  __m512i at[8];
};

[[gnu::always_inline]] inline Words transposed(const __m512i (&row)[kGroup]) {
  __m512i pair[2][4];
  unrolled<4>([&](auto i) {
    pair[0][i] = _mm512_unpacklo_epi64(row[2 * i], row[2 * i + 1]);
    pair[1][i] = _mm512_unpackhi_epi64(row[2 * i], row[2 * i + 1]);
  });
  Words word;
  unrolled<2>([&](auto odd) {
    const __m512i front_even = _mm512_shuffle_i64x2(pair[odd][0], pair[odd][1], 0x88);
    const __m512i front_odd = _mm512_shuffle_i64x2(pair[odd][0], pair[odd][1], 0xdd);
    const __m512i back_even = _mm512_shuffle_i64x2(pair[odd][2], pair[odd][3], 0x88);
    const __m512i back_odd = _mm512_shuffle_i64x2(pair[odd][2], pair[odd][3], 0xdd);
    word.at[odd] = _mm512_shuffle_i64x2(front_even, back_even, 0x88);
    word.at[odd + 2] = _mm512_shuffle_i64x2(front_odd, back_odd, 0x88);
    word.at[odd + 4] = _mm512_shuffle_i64x2(front_even, back_even, 0xdd);
    word.at[odd + 6] = _mm512_shuffle_i64x2(front_odd, back_odd, 0xdd);
  });
  return word;
}

// 64 bytes of each packet, and for each of the four blocks its bit of 2^128, as a part of the third
// limb; zero where the packet does not have that block.
struct Row {
  Words words;
  __m512i bit[4];
};

template <int kAt>
[[gnu::always_inline]] inline Number block(const Row& row) {
  Number n = number(row.words.at[2 * kAt], row.words.at[2 * kAt + 1]);
  n.limb[2] = _mm512_or_si512(n.limb[2], row.bit[kAt]);
  return n;
}

// Where the packets of a group lie, and what of a row belongs to them.
class Rows {
 public:
  [[gnu::always_inline]] explicit Rows(const Members& members)
      : length_(_mm512_load_si512(members.length)) {
    const __m512i blocks = _mm512_add_epi64(
        _mm512_srli_epi64(_mm512_add_epi64(length_, everywhere(15)), 4), everywhere(1));
    const __m512i rows = _mm512_srli_epi64(_mm512_add_epi64(blocks, everywhere(3)), 2);
    count_ = _mm512_reduce_max_epi64(rows);
    all_begun_ = count_ - _mm512_reduce_min_epi64(rows) + 1;
    lead_ = _mm512_slli_epi64(_mm512_sub_epi64(_mm512_set1_epi64(4 * count_), blocks), 4);
    _mm512_store_si512(start_, _mm512_sub_epi64(_mm512_load_si512(members.text), lead_));
    blocks_of_first_ = 4 - _mm512_reduce_min_epi64(lead_) / 16;
  }

  [[gnu::always_inline]] std::int64_t count() const { return count_; }
  // How many blocks at the end of row 0 any packet has.
  [[gnu::always_inline]] std::int64_t blocks_of_first() const { return blocks_of_first_; }
  // Whether a packet begins or ends in a row, or has not begun.
  [[gnu::always_inline]] bool at_edge(std::int64_t row) const {
    return row < all_begun_ || row + 1 == count_;
  }

  [[gnu::always_inline]] Row inner(std::int64_t at) const {
    __m512i row[kGroup];
    unrolled<kGroup>([&](auto i) { row[i] = _mm512_loadu_si512(start_[i] + kRow * at); });
    const __m512i bit = everywhere(kBit);
    return {transposed(row), {bit, bit, bit, bit}};
  }

  // At an edge, what is not text is zero, and the lengths stand in the last word.
  [[gnu::always_inline]] Row edge(std::int64_t at) const {
    const __m512i zero = _mm512_setzero_si512();
    const __m512i ones = _mm512_set1_epi64(-1);
    // Where in the row the packets begin and end; below 0 or above 63 if in another.
    const __m512i begin = _mm512_sub_epi64(lead_, _mm512_set1_epi64(kRow * at));
    const __m512i end = _mm512_add_epi64(begin, length_);
    // Shifts by 64 and more give zero.
    const __m512i from = _mm512_sllv_epi64(ones, _mm512_max_epi64(begin, zero));
    const __m512i behind = _mm512_sllv_epi64(ones, _mm512_max_epi64(end, zero));
    alignas(64) std::uint64_t mask[kGroup];
    _mm512_store_si512(mask, _mm512_andnot_si512(behind, from));
    __m512i row[kGroup];
    unrolled<kGroup>(
        [&](auto i) { row[i] = _mm512_maskz_loadu_epi8(mask[i], start_[i] + kRow * at); });
    Row made{transposed(row), {}};
    if (at + 1 == count_) made.words.at[7] = length_;
    unrolled<4>([&](auto i) {
      const __mmask8 has = _mm512_cmple_epi64_mask(begin, _mm512_set1_epi64(16 * i));
      made.bit[i] = _mm512_maskz_mov_epi64(has, everywhere(kBit));
    });
    return made;
  }

 private:
  static constexpr std::uint64_t kBit = std::uint64_t{1} << 40;

  alignas(64) const std::uint8_t* start_[kGroup];  // of row 0
  __m512i length_;
  __m512i lead_;  // bytes from there on that stand before the packet
  std::int64_t count_;
  std::int64_t all_begun_;  // the first row before which all packets have begun
  std::int64_t blocks_of_first_;
};

// h = ((((h + b0) r + b1) r + b2) r + b3) r for each row of four blocks, by the powers of r and
// with one reduction. Block 0 comes last, so that the products of the others need not wait for h,
// and the next row is brought before the carries, which wait for each other.
[[gnu::always_inline]] inline Number absorb(const Rows& rows, const Powers& r) {
  ProductSum sum;
  Row row = rows.edge(0);
  if (rows.blocks_of_first() > 3) sum.add(block<0>(row), r.of[0]);
  if (rows.blocks_of_first() > 2) sum.add(block<1>(row), r.of[1]);
  if (rows.blocks_of_first() > 1) sum.add(block<2>(row), r.of[2]);
  sum.add(block<3>(row), r.of[3]);
  for (std::int64_t at = 1; at < rows.count(); ++at) {
    row = rows.at_edge(at) ? rows.edge(at) : rows.inner(at);
    const Number h = sum.reduced();
    sum = ProductSum();
    sum.add(block<1>(row), r.of[1]);
    sum.add(block<2>(row), r.of[2]);
    sum.add(block<3>(row), r.of[3]);
    const Number first = block<0>(row);
    sum.add(
        {{_mm512_add_epi64(first.limb[0], h.limb[0]), _mm512_add_epi64(first.limb[1], h.limb[1]),
          _mm512_add_epi64(first.limb[2], h.limb[2])}},
        r.of[0]);
  }
  return sum.reduced();
}

// The tags of the group, in the order of its packets.
[[gnu::noinline]] void authenticate(const Members& members, std::uint8_t (&tag)[kGroup][16]) {
  __m512i keys[kGroup];
  unrolled<kGroup>([&](auto i) { keys[i] = _mm512_maskz_loadu_epi64(0x0f, members.key[i]); });
  const Words key = transposed(keys);
  const Number h = absorb(Rows(members), powers(key.at[0], key.at[1]));
  const Tags made = tags(h, key.at[2], key.at[3]);
  const __m512i even = _mm512_unpacklo_epi64(made.low, made.high);
  const __m512i odd = _mm512_unpackhi_epi64(made.low, made.high);
  const auto put = [&](int packet, __m128i value) {
    _mm_store_si128(reinterpret_cast<__m128i*>(tag[packet]), value);
  };
  unrolled<4>([&](auto i) {
    constexpr int kPair = i;
    put(2 * kPair, _mm512_extracti64x2_epi64(even, kPair));
    put(2 * kPair + 1, _mm512_extracti64x2_epi64(odd, kPair));
  });
}

}  // namespace
}  // namespace ipop::engine::avx512
