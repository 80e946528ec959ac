// One packet of any length, in pieces of eight registers, 256 bytes, and a last one of one to
// eight. AES and carry-less multiplication have units of their own, so multiplications stand
// between the rounds of AES: opening, those of the same piece; sealing, those of the piece before.
// After every whole piece that is not the last the sum is reduced, and added to the block that
// follows.
#pragma once

#include "engine/aead/vaes256/packet.hpp"

namespace ipop::engine::vaes256 {

constexpr int kPieceRegs = 8;
constexpr std::size_t kPieceSize = kPieceRegs * kRegSize;
// A front is joined with what is behind it in the first registers alone, if there is more behind.
constexpr std::size_t kMostFront = 5 * kRegSize;

// A packet on its way through its pieces.
struct LongPacket {
  AeadJob& job;
  const GcmKey& key;
  // What the first round begins with, but for the number.
  Reg start;
  // The reduced sum of all that was hashed, in the first lane.
  Reg hash;
  // J0, encrypted.
  Block j0;
};

// What is multiplied while a piece goes through AES: kRegs registers of ciphertext, all of them
// whole but the last if kTail says so.
template <int kRegs, bool kTail>
struct HashedPiece {
  const std::uint8_t* text;
  const std::uint8_t* powers;
  Reg last;

  template <int kReg>
  [[gnu::always_inline]] Reg at() const {
    if constexpr (kTail && kReg == kRegs - 1) return last;
    return load(text + kReg * kRegSize);
  }
};

// One register. What was reduced before is added to the first of them, which is therefore the last
// to be multiplied: it has come by then.
template <int kTurn, int kRegs, bool kTail>
[[gnu::always_inline]] inline void hash_turn(const HashedPiece<kRegs, kTail>& piece, Reg before,
                                             Sums& sums) {
  constexpr int kReg = (kTurn + 1) % kRegs;
  Reg text = reverse_bytes(piece.template at<kReg>());
  if constexpr (kReg == 0) text = exclusive_or(text, before);
  const std::uint8_t* const powers = piece.powers + kReg * kRegSize;
  if constexpr (kTurn == 0) {
    sums = multiply(text, powers);
  } else {
    multiply_add(sums, text, powers);
  }
}

// The rounds from the first to the last but one, with a register hashed after each.
template <int kAesRegs, int kHashRegs, bool kTail>
[[gnu::always_inline]] inline void run_rounds(Reg (&state)[kAesRegs], const GcmKey& key,
                                              const HashedPiece<kHashRegs, kTail>& hashed,
                                              Reg before, Sums& sums) {
  each<kRounds - 1>([&](auto round) __attribute__((always_inline)) {
    constexpr int kTurn = decltype(round)::value;
    Reg this_key = broadcast(round_key(key, kTurn + 1));
    compute_here(this_key);
    each<kAesRegs>([&](auto i) __attribute__((always_inline)) {
      state[decltype(i)::value] = _mm256_aesenc_epi128(state[decltype(i)::value], this_key);
    });
    if constexpr (kTurn < kHashRegs) {
      hash_turn<kTurn>(hashed, before, sums);
      compute_here(sums);
    }
  });
}

// The counter blocks of the text at `offset`, with the first round key.
template <int kRegs>
[[gnu::always_inline]] inline void start_rounds(Reg (&state)[kRegs], const LongPacket& packet,
                                                std::size_t offset) {
  if (offset + kRegs * kRegSize > sizeof kBlockNumbers) [[unlikely]] {
    each<kRegs>([&](auto i) __attribute__((always_inline)) {
      constexpr std::size_t kAt = decltype(i)::value * kRegSize;
      state[decltype(i)::value] = exclusive_or(packet.start, any_numbers(offset + kAt));
    });
  } else {
    each<kRegs>([&](auto i) __attribute__((always_inline)) {
      constexpr std::size_t kAt = decltype(i)::value * kRegSize;
      state[decltype(i)::value] = exclusive_or(packet.start, known_numbers(offset + kAt));
    });
  }
}

[[gnu::always_inline]] inline void add_packet_length(Sums& sums, const LongPacket& packet) {
  const std::uint8_t* const h = powers_from(packet.key, 1);
  add_length(sums, _mm256_zextsi128_si256(_mm_cvtsi64_si128(packet.job.length)),
             _mm256_zextsi128_si256(load_block(h)),
             _mm256_zextsi128_si256(load_block(h + kHalfSum)));
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
  Sums sums;
  const HashedPiece<kHashRegs, false> hashed{packet.job.out + offset - (kBefore ? kPieceSize : 0),
                                             powers_from(packet.key, 2 * kPieceRegs), Reg{}};
  run_rounds(state, packet.key, hashed, packet.hash, sums);
  const Reg last_key = broadcast(round_key(packet.key, kRounds));
  each<kPieceRegs>([&](auto i) __attribute__((always_inline)) {
    constexpr int kReg = decltype(i)::value;
    constexpr std::size_t kAt = kReg * kRegSize;
    const std::uint8_t* text = packet.job.in - packet.job.front_length + offset + kAt;
    if constexpr (!kBefore) text = first_text<kReg>(packet.job);
    store(packet.job.out + offset + kAt, end_rounds(state[kReg], last_key, load(text)));
  });
  if constexpr (kBefore) packet.hash = reduce(fold(sums));
}

// The last piece, of sealing: hashed itself when it is sealed, behind the one before it.
template <bool kBefore, int kRegs>
[[gnu::always_inline]] inline void seal_last(LongPacket& packet, std::size_t offset) {
  constexpr int kHashRegs = kBefore ? kPieceRegs : 0;
  AeadJob& job = packet.job;
  Reg state[kRegs];
  start_rounds(state, packet, offset);
  Sums sums;
  const HashedPiece<kHashRegs, false> hashed{job.out + offset - (kBefore ? kPieceSize : 0),
                                             powers_from(packet.key, 2 * kPieceRegs), Reg{}};
  run_rounds(state, packet.key, hashed, packet.hash, sums);
  if constexpr (kBefore) packet.hash = reduce(fold(sums));

  const Reg last_key = broadcast(round_key(packet.key, kRounds));
  each<kRegs>([&](auto i) __attribute__((always_inline)) {
    constexpr int kReg = decltype(i)::value;
    constexpr std::size_t kAt = kReg * kRegSize;
    if constexpr (kReg == kRegs - 1) {
      const std::size_t at = offset + kAt;
      const Reg text = load_last(job.in - job.front_length, job.length, at);
      state[kReg] = end_rounds(state[kReg], last_key, text);
      store_last_before_tag(job.out, job.length, at, state[kReg]);
      state[kReg] = _mm256_and_si256(state[kReg], first_bytes(job.length - at));
    } else {
      const std::uint8_t* text = job.in - job.front_length + offset + kAt;
      if constexpr (!kBefore) text = first_text<kReg>(job);
      state[kReg] = end_rounds(state[kReg], last_key, load(text));
      store(job.out + offset + kAt, state[kReg]);
    }
  });
  sums = no_sums();
  add_packet_length(sums, packet);
  const std::uint8_t* const powers = last_powers(packet.key, job.length - offset);
  each<kRegs>([&](auto i) __attribute__((always_inline)) {
    constexpr int kReg = (decltype(i)::value + 1) % kRegs;
    Reg text = reverse_bytes(state[kReg]);
    if constexpr (kReg == 0) text = exclusive_or(text, packet.hash);
    multiply_add(sums, text, powers + kReg * kRegSize);
  });
  packet.hash = reduce(fold(sums));
}

[[gnu::always_inline]] inline void open_piece(LongPacket& packet, std::size_t offset) {
  Reg state[kPieceRegs];
  start_rounds(state, packet, offset);
  Sums sums;
  const HashedPiece<kPieceRegs, false> hashed{packet.job.in + offset,
                                              powers_from(packet.key, 2 * kPieceRegs), Reg{}};
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
  AeadJob& job = packet.job;
  const std::size_t last_at = offset + (kRegs - 1) * kRegSize;
  Reg state[kRegs];
  start_rounds(state, packet, offset);
  const HashedPiece<kRegs, true> hashed{job.in + offset,
                                        last_powers(packet.key, job.length - offset),
                                        load_last(job.in, job.length, last_at)};
  Sums sums;
  run_rounds(state, packet.key, hashed, packet.hash, sums);
  add_packet_length(sums, packet);
  packet.hash = reduce(fold(sums));
  const Reg last_key = broadcast(round_key(packet.key, kRounds));
  each<kRegs>([&](auto i) __attribute__((always_inline)) {
    constexpr int kReg = decltype(i)::value;
    constexpr std::size_t kAt = kReg * kRegSize;
    if constexpr (kReg == kRegs - 1) {
      store_last(job.out, job.length, last_at, end_rounds(state[kReg], last_key, hashed.last));
    } else {
      const Reg text = load(job.in + offset + kAt);
      store(job.out + offset + kAt, end_rounds(state[kReg], last_key, text));
    }
  });
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
[[gnu::always_inline]] inline void run_long(AeadJob& job) {
  const GcmKey& key = key_of(job);
  const Reg nonce = nonce_blocks(job.key->salt, job.counter);
  LongPacket packet{job, key, exclusive_or(nonce, broadcast(round_key(key, 0))),
                    _mm256_setzero_si256(),
                    encrypt_block(_mm_xor_si128(first_block(nonce), packet_number()), key)};
  compute_here(packet.j0);
  const std::size_t before_last = (registers_of(job.length) - 1) / kPieceRegs * kPieceSize;
  if constexpr (kSeal) {
    if (job.front_length != 0) {
      // Behind what is joined, the last 16 bytes must stand in one piece.
      if (job.front_length > kMostFront || job.length - job.front_length < 2 * kRegSize)
          [[unlikely]]
        join_front(job);
      else
        join_front(job, (job.front_length + kRegSize - 1) & ~(kRegSize - 1));
    }
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

}  // namespace ipop::engine::vaes256
