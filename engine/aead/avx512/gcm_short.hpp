// Several packets of the same number of registers, one to four, side by side: one alone would wait
// for each round of AES to end. Packets with keys of their own take the blocks that cover their
// tags (J0) through AES one by one, with the low quarters of their round keys; of packets with one
// key, four of those blocks share a register, and round keys are loaded once.
// Opening, multiplications stand between the rounds; sealing, they follow. Of four packets the sums
// are reduced together. There is no branch in between, and what belongs to four packets is put
// together without mask registers: to fill one takes both units of AES for a cycle.
#pragma once

#include "engine/aead/avx512/packet.hpp"

namespace ipop::engine::avx512 {

constexpr int kMostShortRegs = 4;

// All bits of one lane, and of the low half of its low half.
struct Lanes {
  alignas(64) std::uint64_t whole[4][8];
  alignas(64) std::uint64_t length[4][8];

  constexpr Lanes() : whole{}, length{} {
    for (int lane = 0; lane < 4; ++lane) {
      whole[lane][2 * lane] = whole[lane][2 * lane + 1] = ~std::uint64_t{0};
      length[lane][2 * lane] = 0xffffffff;
    }
  }
};
constexpr Lanes kLanes;

template <bool kOneKey, int kPackets, int kRegs>
struct Group {
  static_assert(kPackets == 1 || kPackets == 4);

  AeadJob* job[kPackets];
  const GcmKey* key[kPackets];
  const std::uint8_t* powers[kPackets];
  __mmask64 last[kPackets];  // bytes of the last register
  Reg state[kPackets][kRegs];
  Sums sums[kPackets];
  // One in each lane.
  Reg length;
  Reg h;
  // J0 on its way through AES: of packets with one key the first form, else the other.
  Reg j0s;
  Block j0[kPackets];
};

template <bool kOneKey, int kPackets, int kRegs>
[[gnu::always_inline]] inline void start_short(Group<kOneKey, kPackets, kRegs>& packets,
                                               AeadJob* const* jobs) {
  packets.length = packets.h = packets.j0s = _mm512_setzero_si512();
  each<kPackets>([&](auto p) __attribute__((always_inline)) {
    constexpr int kPacket = decltype(p)::value;
    AeadJob& job = *jobs[kPacket];
    const GcmKey& key = kOneKey && kPacket > 0 ? *packets.key[0] : key_of(job);
    packets.job[kPacket] = &job;
    packets.key[kPacket] = &key;
    packets.powers[kPacket] = last_powers(key, job.length);
    packets.last[kPacket] = first_bytes(job.length - (kRegs - 1) * kRegSize);
    packets.length = put(packets.length, _mm512_set1_epi32(static_cast<int>(job.length)),
                         _mm512_load_si512(kLanes.length[kPacket]));
    const Block h = load_block(powers_from(key, 1));
    if constexpr (kOneKey && kPacket == 0) packets.h = _mm512_broadcast_i32x4(h);
    if constexpr (!kOneKey) packets.h = _mm512_inserti64x2(packets.h, h, kPacket);
    const std::uint32_t salt = jobs[kOneKey ? 0 : kPacket]->key->salt;
    const Reg nonce = nonce_blocks(salt, job.counter);
    const Reg whitening = broadcast(round_key(key, 0));
    if constexpr (kOneKey) {
      packets.j0s = put(packets.j0s, exclusive_or(packet_blocks(nonce), whitening),
                        _mm512_load_si512(kLanes.whole[kPacket]));
    } else {
      packets.j0[kPacket] = first_block(exclusive_or(packet_blocks(nonce), whitening));
    }
    each<kRegs>([&](auto i) __attribute__((always_inline)) {
      constexpr int kReg = decltype(i)::value;
      packets.state[kPacket][kReg] =
          exclusive_or(whitening, known_counter_blocks(nonce, kReg * kRegSize));
    });
  });
}

template <int kRound, bool kOneKey, int kPackets, int kRegs>
[[gnu::always_inline]] inline void round_of_short(Group<kOneKey, kPackets, kRegs>& packets) {
  each<kPackets>([&](auto p) __attribute__((always_inline)) {
    constexpr int kPacket = decltype(p)::value;
    const Reg this_key = broadcast(round_key(*packets.key[kPacket], kRound));
    each<kRegs>([&](auto i) __attribute__((always_inline)) {
      Reg& state = packets.state[kPacket][decltype(i)::value];
      state = _mm512_aesenc_epi128(state, this_key);
    });
    if constexpr (!kOneKey) {
      packets.j0[kPacket] = _mm_aesenc_si128(packets.j0[kPacket], first_block(this_key));
      compute_here(packets.j0[kPacket]);
    }
    if constexpr (kOneKey && kPacket == 0) {
      packets.j0s = _mm512_aesenc_epi128(packets.j0s, this_key);
      compute_here(packets.j0s);
    }
  });
}

template <int kReg, int kRegs>
[[gnu::always_inline]] inline Reg load_register(const std::uint8_t* text, __mmask64 last) {
  const std::uint8_t* const at = text + kReg * static_cast<int>(kRegSize);
  if constexpr (kReg == kRegs - 1) return load_masked(last, at);
  return load(at);
}

// Register kReg of a packet, the first of which begins the sums.
template <int kReg>
[[gnu::always_inline]] inline void hash_register(Sums& sums, Reg text, const std::uint8_t* powers) {
  const Reg these = load(powers + kReg * static_cast<int>(kRegSize));
  if constexpr (kReg == 0) {
    sums = multiply(reverse_bytes(text), these);
  } else {
    multiply_add(sums, reverse_bytes(text), these);
  }
}

// All rounds but the last; opening, with registers hashed from the second on.
template <bool kSeal, bool kOneKey, int kPackets, int kRegs>
[[gnu::always_inline]] inline void run_rounds_of_short(Group<kOneKey, kPackets, kRegs>& packets) {
  constexpr int kTurns = kSeal ? 0 : kPackets * kRegs;
  constexpr int kTurnsPerRound = (kTurns + kRounds - 3) / (kRounds - 2);
  each<kRounds - 1>([&](auto round) __attribute__((always_inline)) {
    constexpr int kRound = decltype(round)::value + 1;
    round_of_short<kRound>(packets);
    each<kTurnsPerRound>([&](auto i) __attribute__((always_inline)) {
      constexpr int kTurn = (kRound - 2) * kTurnsPerRound + decltype(i)::value;
      if constexpr (kTurn >= 0 && kTurn < kTurns) {
        constexpr int kPacket = kTurn % kPackets;
        constexpr int kReg = kTurn / kPackets;
        const Reg text =
            load_register<kReg, kRegs>(packets.job[kPacket]->in, packets.last[kPacket]);
        hash_register<kReg>(packets.sums[kPacket], text, packets.powers[kPacket]);
      }
    });
  });
}

template <bool kSeal, bool kOneKey, int kPackets, int kRegs>
[[gnu::always_inline]] inline void last_round_of_short(Group<kOneKey, kPackets, kRegs>& packets) {
  each<kPackets>([&](auto p) __attribute__((always_inline)) {
    constexpr int kPacket = decltype(p)::value;
    const AeadJob& job = *packets.job[kPacket];
    const __mmask64 last = packets.last[kPacket];
    const Reg last_key = broadcast(round_key(*packets.key[kPacket], kRounds));
    if constexpr (!kOneKey) {
      packets.j0[kPacket] = _mm_aesenclast_si128(packets.j0[kPacket], first_block(last_key));
    } else if constexpr (kPacket == 0) {
      packets.j0s = _mm512_aesenclast_epi128(packets.j0s, last_key);
    }
    each<kRegs>([&](auto i) __attribute__((always_inline)) {
      constexpr int kReg = decltype(i)::value;
      const Reg text = load_register<kReg, kRegs>(job.in, last);
      Reg out = end_rounds(packets.state[kPacket][kReg], last_key, text);
      std::uint8_t* const at = job.out + kReg * static_cast<int>(kRegSize);
      if constexpr (kReg == kRegs - 1) {
        store_masked(at, last, out);
        if constexpr (kSeal) out = _mm512_maskz_mov_epi8(last, out);
      } else {
        store(at, out);
      }
      if constexpr (kSeal) hash_register<kReg>(packets.sums[kPacket], out, packets.powers[kPacket]);
    });
  });
}

template <bool kSeal, bool kOneKey, int kPackets, int kRegs>
[[gnu::always_inline]] inline void finish_short(const Group<kOneKey, kPackets, kRegs>& packets) {
  Sums sums;
  if constexpr (kPackets == 4) {
    sums = fold(packets.sums[0], packets.sums[1], packets.sums[2], packets.sums[3]);
  } else {
    sums = fold(packets.sums[0]);
  }
  add_length(sums, packets.length, packets.h);
  Reg tags = reverse_bytes(reduce(sums));
  if constexpr (kOneKey) tags = exclusive_or(tags, packets.j0s);
  each<kPackets>([&](auto p) __attribute__((always_inline)) {
    constexpr int kPacket = decltype(p)::value;
    Block tag = _mm512_extracti32x4_epi32(tags, kPacket);
    if constexpr (!kOneKey) tag = _mm_xor_si128(tag, packets.j0[kPacket]);
    finish<kSeal>(*packets.job[kPacket], tag);
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

}  // namespace ipop::engine::avx512
