// One packet of any length, in pieces of eight registers, 512 bytes, and a last one of one to
// eight. AES and carry-less multiplication have units of their own, so multiplications stand
// between the rounds of AES: opening, those of the same piece; sealing, those of the piece before.
// After every whole piece that is not the last the sum is reduced, and added to the block that
// follows.
#pragma once

#include "engine/aead/avx512/number_shares.hpp"
#include "engine/aead/avx512/packet.hpp"

namespace ipop::engine::avx512 {

constexpr int kPieceRegs = 8;
constexpr std::size_t kPieceSize = kPieceRegs * kRegSize;
// A front is joined with what is behind it in the first registers alone.
constexpr std::size_t kMostFront = 3 * kRegSize;

// What is multiplied while a piece goes through AES: kRegs registers of ciphertext, the last of
// which may have bytes that do not count.
template <int kRegs>
struct HashedPiece {
  const std::uint8_t* text;
  const std::uint8_t* powers;
  __mmask64 last = ~__mmask64{0};
};

// One register. What was reduced before is added to the first of them, which is therefore the last
// to be multiplied: it has come by then.
template <int kTurn, int kRegs>
[[gnu::always_inline]] inline void hash_turn(const HashedPiece<kRegs>& piece, Reg before,
                                             Sums& sums) {
  constexpr int kReg = (kTurn + 1) % kRegs;
  constexpr int kAt = kReg * static_cast<int>(kRegSize);
  Reg text = kReg == kRegs - 1 ? load_masked(piece.last, piece.text + kAt) : load(piece.text + kAt);
  text = reverse_bytes(text);
  if constexpr (kReg == 0) text = exclusive_or(text, before);
  multiply_add(sums, text, load(piece.powers + kAt));
}

// The rounds from the second to the last but one, with a register hashed after each.
template <int kAesRegs, int kHashRegs>
[[gnu::always_inline]] inline void run_rounds(Reg (&state)[kAesRegs], const GcmKey& key,
                                              const HashedPiece<kHashRegs>& hashed, Reg before,
                                              Sums& sums) {
  each<kRounds - 2>([&](auto round) __attribute__((always_inline)) {
    constexpr int kTurn = decltype(round)::value;
    const Reg this_key = broadcast(round_key(key, kTurn + 2));
    each<kAesRegs>([&](auto i) __attribute__((always_inline)) {
      state[decltype(i)::value] = _mm512_aesenc_epi128(state[decltype(i)::value], this_key);
    });
    if constexpr (kTurn < kHashRegs) hash_turn<kTurn>(hashed, before, sums);
  });
}

// A packet on its way through its pieces.
struct LongPacket {
  AeadJob& job;
  const GcmKey& key;
  Reg nonce;
  // The reduced sum of all that was hashed.
  Reg hash;
  // J0, encrypted.
  Block j0;
  // Of this key, or null.
  const NumberShares* shares;
};

// The first round of the counter blocks of the text at `offset`.
template <int kRegs>
[[gnu::always_inline]] inline void start_rounds(Reg (&state)[kRegs], const LongPacket& packet,
                                                std::size_t offset) {
  const Reg whitening = broadcast(round_key(packet.key, 0));
  const Reg round_1 = broadcast(round_key(packet.key, 1));
  if (offset + kRegs * kRegSize > sizeof kBlockNumbers) [[unlikely]] {
    each<kRegs>([&](auto i) __attribute__((always_inline)) {
      constexpr int kAt = decltype(i)::value * static_cast<int>(kRegSize);
      const Reg block = counter_blocks(packet.nonce, offset + kAt);
      state[decltype(i)::value] = _mm512_aesenc_epi128(exclusive_or(whitening, block), round_1);
    });
  } else if (packet.shares != nullptr) {
    const Reg of_number_0 = _mm512_aesenc_epi128(exclusive_or(whitening, packet.nonce), round_1);
    each<kRegs>([&](auto i) __attribute__((always_inline)) {
      constexpr int kAt = decltype(i)::value * static_cast<int>(kRegSize);
      state[decltype(i)::value] =
          exclusive_or(of_number_0, _mm512_load_si512(packet.shares->bytes + offset + kAt));
    });
  } else {
    each<kRegs>([&](auto i) __attribute__((always_inline)) {
      constexpr int kAt = decltype(i)::value * static_cast<int>(kRegSize);
      const Reg block = known_counter_blocks(packet.nonce, offset + kAt);
      state[decltype(i)::value] = _mm512_aesenc_epi128(exclusive_or(whitening, block), round_1);
    });
  }
}

[[gnu::always_inline]] inline void add_packet_length(Sums& sums, const LongPacket& packet) {
  add_length(sums, _mm512_zextsi128_si512(_mm_cvtsi64_si128(packet.job.length)),
             _mm512_zextsi128_si512(load_block(powers_from(packet.key, 1))));
}

// Where the first registers' text is: as far as there is a front, where it was joined.
template <int kReg>
[[gnu::always_inline]] inline const std::uint8_t* first_text(const AeadJob& job) {
  constexpr std::size_t kAt = kReg * kRegSize;
  if constexpr (kAt < kMostFront) {
    if (kAt < job.front_length) return job.out + kAt;
  }
  return job.in - job.front_length + kAt;
}

// A whole piece, of sealing, with the one before it hashed; kBefore says that there is one.
template <bool kBefore>
[[gnu::always_inline]] inline void seal_piece(LongPacket& packet, std::size_t offset) {
  constexpr int kHashRegs = kBefore ? kPieceRegs : 0;
  Reg state[kPieceRegs];
  start_rounds(state, packet, offset);
  Sums sums = no_sums();
  const HashedPiece<kHashRegs> hashed{packet.job.out + offset - (kBefore ? kPieceSize : 0),
                                      powers_from(packet.key, 4 * kPieceRegs)};
  run_rounds(state, packet.key, hashed, packet.hash, sums);
  const Reg last_key = broadcast(round_key(packet.key, kRounds));
  each<kPieceRegs>([&](auto i) __attribute__((always_inline)) {
    constexpr std::size_t kAt = decltype(i)::value * kRegSize;
    Reg text;
    if constexpr (kBefore) {
      text = load(packet.job.in - packet.job.front_length + offset + kAt);
    } else {
      text = load(first_text<decltype(i)::value>(packet.job));
    }
    store(packet.job.out + offset + kAt, end_rounds(state[decltype(i)::value], last_key, text));
  });
  if constexpr (kBefore) packet.hash = reduce(fold(sums));
}

// The last piece, whose own registers are hashed as they leave AES.
template <bool kBefore, int kRegs>
[[gnu::always_inline]] inline void seal_last(LongPacket& packet, std::size_t offset) {
  constexpr int kHashRegs = kBefore ? kPieceRegs : 0;
  const std::size_t length = packet.job.length - offset;
  const __mmask64 last = first_bytes(length - (kRegs - 1) * kRegSize);
  Reg state[kRegs];
  start_rounds(state, packet, offset);
  Sums sums = no_sums();
  const HashedPiece<kHashRegs> hashed{packet.job.out + offset - (kBefore ? kPieceSize : 0),
                                      powers_from(packet.key, 4 * kPieceRegs)};
  run_rounds(state, packet.key, hashed, packet.hash, sums);
  if constexpr (kBefore) packet.hash = reduce(fold(sums));
  sums = no_sums();
  add_packet_length(sums, packet);
  const std::uint8_t* const powers = last_powers(packet.key, length);
  const Reg last_key = broadcast(round_key(packet.key, kRounds));
  each<kRegs>([&](auto i) __attribute__((always_inline)) {
    constexpr int kReg = decltype(i)::value;
    constexpr std::size_t kAt = kReg * kRegSize;
    const __mmask64 mask = kReg == kRegs - 1 ? last : ~__mmask64{0};
    const std::uint8_t* const text = kBefore
                                         ? packet.job.in - packet.job.front_length + offset + kAt
                                         : first_text<kReg>(packet.job);
    state[kReg] = end_rounds(state[kReg], last_key, load_masked(mask, text));
    if constexpr (kReg == kRegs - 1) {
      store_masked(packet.job.out + offset + kAt, last, state[kReg]);
      state[kReg] = _mm512_maskz_mov_epi8(last, state[kReg]);
    } else {
      store(packet.job.out + offset + kAt, state[kReg]);
    }
  });
  each<kRegs>([&](auto i) __attribute__((always_inline)) {
    constexpr int kReg = (decltype(i)::value + 1) % kRegs;
    Reg text = reverse_bytes(state[kReg]);
    if constexpr (kReg == 0) text = exclusive_or(text, packet.hash);
    multiply_add(sums, text, load(powers + kReg * kRegSize));
  });
  packet.hash = reduce(fold(sums));
}

[[gnu::always_inline]] inline void open_piece(LongPacket& packet, std::size_t offset) {
  Reg state[kPieceRegs];
  start_rounds(state, packet, offset);
  Sums sums = no_sums();
  const HashedPiece<kPieceRegs> hashed{packet.job.in + offset,
                                       powers_from(packet.key, 4 * kPieceRegs)};
  run_rounds(state, packet.key, hashed, packet.hash, sums);
  const Reg last_key = broadcast(round_key(packet.key, kRounds));
  each<kPieceRegs>([&](auto i) __attribute__((always_inline)) {
    constexpr std::size_t kAt = decltype(i)::value * kRegSize;
    const Reg text = load(packet.job.in + offset + kAt);
    store(packet.job.out + offset + kAt, end_rounds(state[decltype(i)::value], last_key, text));
  });
  packet.hash = reduce(fold(sums));
}

template <int kRegs>
[[gnu::always_inline]] inline void open_last(LongPacket& packet, std::size_t offset) {
  const std::size_t length = packet.job.length - offset;
  const __mmask64 last = first_bytes(length - (kRegs - 1) * kRegSize);
  Reg state[kRegs];
  start_rounds(state, packet, offset);
  Sums sums = no_sums();
  add_packet_length(sums, packet);
  const HashedPiece<kRegs> hashed{packet.job.in + offset, last_powers(packet.key, length), last};
  run_rounds(state, packet.key, hashed, packet.hash, sums);
  const Reg last_key = broadcast(round_key(packet.key, kRounds));
  each<kRegs>([&](auto i) __attribute__((always_inline)) {
    constexpr int kReg = decltype(i)::value;
    constexpr std::size_t kAt = kReg * kRegSize;
    const __mmask64 mask = kReg == kRegs - 1 ? last : ~__mmask64{0};
    const Reg text = load_masked(mask, packet.job.in + offset + kAt);
    store_masked(packet.job.out + offset + kAt, mask, end_rounds(state[kReg], last_key, text));
  });
  packet.hash = reduce(fold(sums));
}

// The last piece by its number of registers.
template <bool kSeal, int kRegs = kPieceRegs>
[[gnu::always_inline]] inline void run_last(LongPacket& packet, std::size_t offset) {
  if constexpr (kRegs > 1) {
    if (packet.job.length - offset <= (kRegs - 1) * kRegSize)
      return run_last<kSeal, kRegs - 1>(packet, offset);
  }
  if constexpr (!kSeal) {
    open_last<kRegs>(packet, offset);
  } else if (offset != 0) {
    seal_last<true, kRegs>(packet, offset);
  } else {
    seal_last<false, kRegs>(packet, offset);
  }
}

template <bool kSeal>
[[gnu::always_inline]] inline void run_long(AeadJob& job, const NumberShares* shares) {
  const GcmKey& key = key_of(job);
  const Reg nonce = nonce_blocks(job.key->salt, job.counter);
  LongPacket packet{job,
                    key,
                    nonce,
                    _mm512_setzero_si512(),
                    encrypt_block(first_block(packet_blocks(nonce)), key),
                    shares};
  compute_here(packet.j0);
  const std::size_t before_last = (registers_of(job.length) - 1) / kPieceRegs * kPieceSize;
  if constexpr (kSeal) {
    if (job.front_length > kMostFront) [[unlikely]]
      join_front(job);
    if (job.front_length != 0) join_front(job, (job.front_length + kRegSize - 1) & ~(kRegSize - 1));
    if (before_last != 0) seal_piece<false>(packet, 0);
    for (std::size_t offset = kPieceSize; offset < before_last; offset += kPieceSize)
      seal_piece<true>(packet, offset);
  } else {
    for (std::size_t offset = 0; offset < before_last; offset += kPieceSize)
      open_piece(packet, offset);
  }
  run_last<kSeal>(packet, before_last);
  const Reg tag = reverse_bytes(packet.hash);
  finish<kSeal>(job, _mm_xor_si128(first_block(tag), packet.j0));
}

}  // namespace ipop::engine::avx512
