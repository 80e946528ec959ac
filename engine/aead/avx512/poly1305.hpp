// Poly1305 (RFC 8439 §2.5) of eight packets at once: numbers modulo p = 2^130 - 5, one packet in
// each 64-bit lane, as three limbs of 44, 44 and 42 bits, multiplied with the 52-bit multipliers of
// AVX-512 IFMA.
// Only for a source that is compiled for AVX-512; everything here has internal linkage.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace ipop::engine::avx512 {
namespace {

// limb[0] + limb[1] * 2^44 + limb[2] * 2^88. Limbs 0 and 1 may be a little above 2^44, and the
// third above 2^42.
struct Number {
  __m512i limb[3];
};

// What a number is multiplied with. A product of limbs at 2^132 or above comes back at 2^132 below
// with a factor of 20, as 2^132 = 4 * 2^130 and 2^130 = 5 modulo p: folded[i] is 20 * limb[i].
struct Multiplier {
  __m512i limb[3];
  __m512i folded[3];  // the first is not used
};

[[gnu::always_inline]] inline __m512i everywhere(std::uint64_t value) {
  return _mm512_set1_epi64(static_cast<long long>(value));
}

[[gnu::always_inline]] inline __m512i limb_mask() {
  return everywhere((std::uint64_t{1} << 44) - 1);
}

[[gnu::always_inline]] inline Multiplier multiplier(const Number& n) {
  const __m512i zero = _mm512_setzero_si512();
  const __m512i twenty = everywhere(20);
  return {{n.limb[0], n.limb[1], n.limb[2]},
          {zero, _mm512_madd52lo_epu64(zero, n.limb[1], twenty),
           _mm512_madd52lo_epu64(zero, n.limb[2], twenty)}};
}

// A sum of up to four products that is not yet reduced. low[i] counts from 2^(44 i); high[i] are
// the upper halves of the same 104-bit products and count from 2^(44 i + 52).
class ProductSum {
 public:
  [[gnu::always_inline]] void add(const Number& a, const Multiplier& b) {
    add<0>(a.limb[0], b);
    add<1>(a.limb[1], b);
    add<2>(a.limb[2], b);
  }

  // The part of one limb of the left side.
  template <int kLimb>
  [[gnu::always_inline]] void add(__m512i limb, const Multiplier& b) {
    add_at<0>(limb, kLimb == 0 ? b.limb[0] : b.folded[(3 - kLimb) % 3]);
    add_at<1>(limb, kLimb == 2 ? b.folded[2] : b.limb[(4 - kLimb) % 3]);
    add_at<2>(limb, b.limb[2 - kLimb]);
  }

  // One pass of carries. A multiplication by a power of two stands for shift and addition.
  // The factors of what is put down to 2^52 at most: with limbs of the left sides below 2^44 (for
  // one of them 2^45) and 2^41 (2^43), high[0] stays below 2^43 and high[1] below 2^41, which
  // times 2^8 is below 2^52; high[2] below 2^38.9, which times 5 * 2^10 is below 2^51.3.
  [[gnu::always_inline]] Number reduced() const {
    const __m512i mask44 = limb_mask();
    const __m512i mask42 = everywhere((std::uint64_t{1} << 42) - 1);
    Number n;
    n.limb[0] = _mm512_and_si512(low_[0], mask44);
    __m512i sum = _mm512_madd52lo_epu64(low_[1], high_[0], everywhere(1 << 8));
    sum = _mm512_add_epi64(sum, _mm512_srli_epi64(low_[0], 44));
    n.limb[1] = _mm512_and_si512(sum, mask44);
    __m512i top = _mm512_madd52lo_epu64(low_[2], high_[1], everywhere(1 << 8));
    top = _mm512_add_epi64(top, _mm512_srli_epi64(sum, 44));
    n.limb[2] = _mm512_and_si512(top, mask42);
    // What is above 2^130 comes back five times; high[2] stands at 2^140.
    n.limb[0] = _mm512_madd52lo_epu64(n.limb[0], high_[2], everywhere(5 << 10));
    n.limb[0] = _mm512_madd52lo_epu64(n.limb[0], _mm512_srli_epi64(top, 42), everywhere(5));
    n.limb[1] = _mm512_add_epi64(n.limb[1], _mm512_srli_epi64(n.limb[0], 44));
    n.limb[0] = _mm512_and_si512(n.limb[0], mask44);
    return n;
  }

 private:
  template <int kAt>
  [[gnu::always_inline]] void add_at(__m512i a, __m512i b) {
    low_[kAt] = _mm512_madd52lo_epu64(low_[kAt], a, b);
    high_[kAt] = _mm512_madd52hi_epu64(high_[kAt], a, b);
  }

  __m512i low_[3] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
  __m512i high_[3] = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
};

[[gnu::always_inline]] inline Number product(const Number& a, const Multiplier& b) {
  ProductSum sum;
  sum.add(a, b);
  return sum.reduced();
}

// A number of 128 bits from its two halves.
[[gnu::always_inline]] inline Number number(__m512i low, __m512i high) {
  return {{_mm512_and_si512(low, limb_mask()),
           // (low >> 44 | high << 20) & mask
           _mm512_ternarylogic_epi64(_mm512_srli_epi64(low, 44), _mm512_slli_epi64(high, 20),
                                     limb_mask(), 0xa8),
           _mm512_srli_epi64(high, 24)}};
}

// r and its powers, the fourth first: r is the first half of the key with some bits cleared.
struct Powers {
  Multiplier of[4];
};

[[gnu::always_inline]] inline Powers powers(__m512i low, __m512i high) {
  const Number r = number(_mm512_and_si512(low, everywhere(0x0ffffffc0fffffff)),
                          _mm512_and_si512(high, everywhere(0x0ffffffc0ffffffc)));
  Powers p;
  p.of[3] = multiplier(r);
  const Number square = product(r, p.of[3]);
  p.of[2] = multiplier(square);
  p.of[1] = multiplier(product(square, p.of[3]));
  p.of[0] = multiplier(product(square, p.of[2]));
  return p;
}

// (n modulo p + key) modulo 2^128, the key being the second half of the one-time key.
struct Tags {
  __m512i low;
  __m512i high;
};

[[gnu::always_inline]] inline Tags tags(Number n, __m512i key_low, __m512i key_high) {
  const __m512i mask44 = limb_mask();
  const __m512i mask42 = everywhere((std::uint64_t{1} << 42) - 1);
  // Two rounds of carries bring all limbs into their bits: n < 2^130.
  for (int i = 0; i < 2; ++i) {
    n.limb[2] = _mm512_add_epi64(n.limb[2], _mm512_srli_epi64(n.limb[1], 44));
    n.limb[1] = _mm512_and_si512(n.limb[1], mask44);
    n.limb[0] = _mm512_madd52lo_epu64(n.limb[0], _mm512_srli_epi64(n.limb[2], 42), everywhere(5));
    n.limb[2] = _mm512_and_si512(n.limb[2], mask42);
    n.limb[1] = _mm512_add_epi64(n.limb[1], _mm512_srli_epi64(n.limb[0], 44));
    n.limb[0] = _mm512_and_si512(n.limb[0], mask44);
  }
  n.limb[2] = _mm512_add_epi64(n.limb[2], _mm512_srli_epi64(n.limb[1], 44));
  n.limb[1] = _mm512_and_si512(n.limb[1], mask44);
  // If n + 5 reaches 2^130, n is not below p, and n - p is n + 5 without that bit.
  __m512i carry = _mm512_srli_epi64(_mm512_add_epi64(n.limb[0], everywhere(5)), 44);
  carry = _mm512_srli_epi64(_mm512_add_epi64(n.limb[1], carry), 44);
  carry = _mm512_srli_epi64(_mm512_add_epi64(n.limb[2], carry), 42);
  n.limb[0] = _mm512_madd52lo_epu64(n.limb[0], carry, everywhere(5));
  n.limb[1] = _mm512_add_epi64(n.limb[1], _mm512_srli_epi64(n.limb[0], 44));
  n.limb[0] = _mm512_and_si512(n.limb[0], mask44);
  n.limb[2] = _mm512_add_epi64(n.limb[2], _mm512_srli_epi64(n.limb[1], 44));
  n.limb[1] = _mm512_and_si512(n.limb[1], mask44);
  // Bits 128 and above fall off.
  const __m512i low = _mm512_or_si512(n.limb[0], _mm512_slli_epi64(n.limb[1], 44));
  const __m512i high =
      _mm512_or_si512(_mm512_srli_epi64(n.limb[1], 20), _mm512_slli_epi64(n.limb[2], 24));
  Tags sum{_mm512_add_epi64(low, key_low), _mm512_add_epi64(high, key_high)};
  const __mmask8 carried = _mm512_cmplt_epu64_mask(sum.low, low);
  sum.high = _mm512_mask_add_epi64(sum.high, carried, sum.high, everywhere(1));
  return sum;
}

}  // namespace
}  // namespace ipop::engine::avx512
