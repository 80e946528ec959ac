// Several packets of the same number of registers, one to four, side by side: one alone would wait
// for each round of AES to end. Of packets with one key the blocks that cover the tags (J0) go in
// pairs; packets with keys of their own take them through AES one by one. Two packets' sums are
// reduced together. Opening, multiplications stand between the rounds; sealing, they follow.
#pragma once

#include "engine/aead/vaes256/packet.hpp"

namespace ipop::engine::vaes256 {

constexpr int kMostShortRegs = 4;

// How many go together: eight registers of text, and those of J0, are in flight.
template <int kRegs>
constexpr int kTogether = kRegs <= 2 ? 4 : 2;

template <bool kOneKey, int kPackets, int kRegs>
struct Group {
  static constexpr int kPairs = (kPackets + 1) / 2;

  AeadJob* job[kPackets];
  const GcmKey* key[kPackets];
  Reg state[kPackets][kRegs];
  Sums sums[2 * kPairs];
  // J0 on its way through AES: of packets with one key the first form, else the other.
  Reg j0s[kPairs];
  Block j0[kPackets];
};

template <bool kOneKey, int kPackets, int kRegs>
[[gnu::always_inline]] inline void start_short(Group<kOneKey, kPackets, kRegs>& packets,
                                               AeadJob* const* jobs) {
  each<kPackets>([&](auto p) __attribute__((always_inline)) {
    constexpr int kPacket = decltype(p)::value;
    packets.job[kPacket] = jobs[kPacket];
    packets.key[kPacket] = kOneKey && kPacket > 0 ? packets.key[0] : &key_of(*jobs[kPacket]);
    const std::uint32_t salt = jobs[kOneKey ? 0 : kPacket]->key->salt;
    const Reg start = exclusive_or(nonce_blocks(salt, jobs[kPacket]->counter),
                                   broadcast(round_key(*packets.key[kPacket], 0)));
    packets.j0[kPacket] = _mm_xor_si128(first_block(start), packet_number());
    if constexpr (kPacket % 2 == 1)
      packets.j0s[kPacket / 2] = join(packets.j0[kPacket - 1], packets.j0[kPacket]);
    each<kRegs>([&](auto i) __attribute__((always_inline)) {
      constexpr int kReg = decltype(i)::value;
      packets.state[kPacket][kReg] = exclusive_or(start, known_numbers(kReg * kRegSize));
    });
  });
}

template <int kRound, bool kOneKey, int kPackets, int kRegs>
[[gnu::always_inline]] inline void round_of_short(Group<kOneKey, kPackets, kRegs>& packets) {
  Reg this_key = broadcast(round_key(*packets.key[0], kRound));
  compute_here(this_key);
  each<kPackets>([&](auto p) __attribute__((always_inline)) {
    constexpr int kPacket = decltype(p)::value;
    if constexpr (!kOneKey && kPacket > 0) {
      this_key = broadcast(round_key(*packets.key[kPacket], kRound));
      compute_here(this_key);
    }
    each<kRegs>([&](auto i) __attribute__((always_inline)) {
      Reg& state = packets.state[kPacket][decltype(i)::value];
      state = _mm256_aesenc_epi128(state, this_key);
    });
    if constexpr (!kOneKey) {
      packets.j0[kPacket] = _mm_aesenc_si128(packets.j0[kPacket], first_block(this_key));
      compute_here(packets.j0[kPacket]);
    } else if constexpr (kPacket % 2 == 1) {
      packets.j0s[kPacket / 2] = _mm256_aesenc_epi128(packets.j0s[kPacket / 2], this_key);
      compute_here(packets.j0s[kPacket / 2]);
    }
  });
}

template <int kReg, int kRegs>
[[gnu::always_inline]] inline Reg load_register(const AeadJob& job) {
  constexpr std::size_t kAt = kReg * kRegSize;
  if constexpr (kReg == kRegs - 1) return load_last(job.in, job.length, kAt);
  return load(job.in + kAt);
}

// Register kReg of a packet, the first of which begins the sums.
template <int kReg>
[[gnu::always_inline]] inline void hash_register(Sums& sums, Reg text, const std::uint8_t* powers) {
  powers += kReg * kRegSize;
  if constexpr (kReg == 0) {
    sums = multiply(reverse_bytes(text), powers);
  } else {
    multiply_add(sums, reverse_bytes(text), powers);
  }
}

// All rounds but the last; opening, with registers hashed from the second on.
template <bool kSeal, bool kOneKey, int kPackets, int kRegs>
[[gnu::always_inline]] inline void run_rounds_of_short(Group<kOneKey, kPackets, kRegs>& packets) {
  constexpr int kTurns = kSeal ? 0 : kPackets * kRegs;
  each<kRounds - 1>([&](auto round) __attribute__((always_inline)) {
    constexpr int kRound = decltype(round)::value + 1;
    round_of_short<kRound>(packets);
    constexpr int kTurn = kRound - 2;
    if constexpr (kTurn >= 0 && kTurn < kTurns) {
      constexpr int kPacket = kTurn / kRegs;
      constexpr int kReg = kTurn % kRegs;
      const AeadJob& job = *packets.job[kPacket];
      hash_register<kReg>(packets.sums[kPacket], load_register<kReg, kRegs>(job),
                          last_powers(*packets.key[kPacket], job.length));
      compute_here(packets.sums[kPacket]);
    }
  });
}

template <bool kSeal, bool kOneKey, int kPackets, int kRegs>
[[gnu::always_inline]] inline void last_round_of_short(Group<kOneKey, kPackets, kRegs>& packets) {
  each<kPackets>([&](auto p) __attribute__((always_inline)) {
    constexpr int kPacket = decltype(p)::value;
    const AeadJob& job = *packets.job[kPacket];
    const Reg last_key = broadcast(round_key(*packets.key[kPacket], kRounds));
    if constexpr (!kOneKey) {
      packets.j0[kPacket] = _mm_aesenclast_si128(packets.j0[kPacket], first_block(last_key));
    } else if constexpr (kPacket % 2 == 1) {
      packets.j0s[kPacket / 2] = _mm256_aesenclast_epi128(packets.j0s[kPacket / 2], last_key);
    }
    each<kRegs>([&](auto i) __attribute__((always_inline)) {
      constexpr int kReg = decltype(i)::value;
      constexpr std::size_t kAt = kReg * kRegSize;
      const Reg text = load_register<kReg, kRegs>(job);
      Reg out = end_rounds(packets.state[kPacket][kReg], last_key, text);
      if constexpr (kReg < kRegs - 1) {
        store(job.out + kAt, out);
      } else if constexpr (kSeal) {
        store_last_before_tag(job.out, job.length, kAt, out);
        out = _mm256_and_si256(out, first_bytes(job.length - kAt));
      } else {
        store_last(job.out, job.length, kAt, out);
      }
      if constexpr (kSeal) {
        hash_register<kReg>(packets.sums[kPacket], out,
                            last_powers(*packets.key[kPacket], job.length));
      }
    });
  });
}

// The length of each packet of a pair, in the low half of its lane.
[[gnu::always_inline]] inline Reg lengths(const AeadJob& first, const AeadJob& second) {
  return join(_mm_cvtsi32_si128(static_cast<int>(first.length)),
              _mm_cvtsi32_si128(static_cast<int>(second.length)));
}

template <bool kSeal, bool kOneKey, int kPackets, int kRegs>
[[gnu::always_inline]] inline void finish_short(const Group<kOneKey, kPackets, kRegs>& packets) {
  constexpr int kPairs = Group<kOneKey, kPackets, kRegs>::kPairs;
  each<kPairs>([&](auto p) __attribute__((always_inline)) {
    constexpr int kFirst = 2 * decltype(p)::value;
    constexpr int kSecond = kFirst + 1 < kPackets ? kFirst + 1 : kFirst;
    Sums sums = fold(packets.sums[kFirst], packets.sums[kSecond]);
    const std::uint8_t* const h = powers_from(*packets.key[kFirst], 1);
    const std::uint8_t* const other = powers_from(*packets.key[kSecond], 1);
    add_length(sums, lengths(*packets.job[kFirst], *packets.job[kSecond]),
               join(load_block(h), load_block(other)),
               join(load_block(h + kHalfSum), load_block(other + kHalfSum)));
    Reg tags = reverse_bytes(reduce(sums));
    if constexpr (kOneKey) {
      tags = exclusive_or(tags, packets.j0s[kFirst / 2]);
    } else {
      tags = exclusive_or(tags, join(packets.j0[kFirst], packets.j0[kSecond]));
    }
    finish<kSeal>(*packets.job[kFirst], first_block(tags));
    if constexpr (kSecond != kFirst) finish<kSeal>(*packets.job[kSecond], second_block(tags));
  });
}

// kPackets of kRegs registers; all keys are the same if kOneKey.
template <bool kSeal, bool kOneKey, int kPackets, int kRegs>
[[gnu::always_inline]] inline void run_short(AeadJob* const* jobs) {
  Group<kOneKey, kPackets, kRegs> packets;
  start_short(packets, jobs);
  run_rounds_of_short<kSeal>(packets);
  last_round_of_short<kSeal>(packets);
  finish_short<kSeal>(packets);
}

}  // namespace ipop::engine::vaes256
