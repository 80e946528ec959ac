// The flows whose packets one lcore let pass a moment ago: a packet that is like the last one of
// its flow passes without being read and looked up again. One direction of one lcore. A hint that
// is as good as new for a second at most; what is not here is asked of the rules and the table of
// flows.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"
#include "engine/firewall/packet_facts.hpp"

namespace ipop::engine::firewall {

// What ends or begins a connection, and so changes what becomes of its flow.
inline constexpr std::uint8_t kTurns = tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst;

class RecentFlows {
 public:
  static constexpr std::size_t kMost = 4096;

  // What a packet has that is like the last: of IPv4 without options or IPv6 without extensions,
  // TCP without SYN, FIN and RST, or UDP.
  struct alignas(64) Flow {
    std::uint32_t stamp = 0;  // of its peer's marks
    std::uint32_t epoch = 0;  // 0: nobody's
    std::uint64_t ends[4] = {};
    std::uint32_t ports = 0;
    std::uint32_t least = 0;  // bytes of headers
    std::uint16_t rule = 0;   // that it passed by
    std::uint8_t first = 0;
    std::uint8_t protocol = 0;
  };

  // Throws std::bad_alloc.
  RecentFlows();
  ~RecentFlows();
  RecentFlows(const RecentFlows&) = delete;
  RecentFlows& operator=(const RecentFlows&) = delete;

  // The flow that the packet goes on with; nullptr if it has to be asked for.
  [[nodiscard]] const Flow* find(const std::uint8_t* packet, std::uint32_t length,
                                 std::uint32_t stamp) noexcept {
    if (is_of(*last_, packet, length, stamp)) return last_;
    const Flow* const places = places_of(packet, length);
    if (places == nullptr) return nullptr;
    if (is_of(places[0], packet, length, stamp)) return last_ = places;
    return is_of(places[1], packet, length, stamp) ? last_ = places + 1 : nullptr;
  }
  void prefetch(const std::uint8_t* packet, std::uint32_t length) const noexcept {
    if (const Flow* const places = places_of(packet, length); places != nullptr)
      __builtin_prefetch(places);
  }
  // Of a packet that passed by this rule, if it is one that others may be like.
  void remember(ByteView packet, const PacketFacts& facts, std::uint32_t stamp,
                std::uint16_t rule) noexcept;
  // Before a packet is judged: perhaps its flow ends.
  void forget(ByteView packet) noexcept;
  void forget_all() noexcept { ++epoch_; }

 private:
  template <typename Word>
  static Word load(const std::uint8_t* at) noexcept {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word;
  }
  [[nodiscard]] bool is_of(const Flow& flow, const std::uint8_t* packet, std::uint32_t length,
                           std::uint32_t stamp) const noexcept;
  // Two, where a packet's flow may be. nullptr: the packet is too short to be like any.
  [[nodiscard]] Flow* places_of(const std::uint8_t* packet, std::uint32_t length) const noexcept;

  std::uint32_t epoch_ = 1;
  Flow* flows_;
  const Flow* last_;
};

// Inline: it is all that most packets need.
inline bool RecentFlows::is_of(const Flow& flow, const std::uint8_t* packet, std::uint32_t length,
                               std::uint32_t stamp) const noexcept {
  // Of IPv4's second word: fragment bits without "don't", and the protocol.
  constexpr auto kFragmentAndProtocol =
      std::bit_cast<std::uint64_t>(std::array<std::uint8_t, 8>{0, 0, 0x3f, 0xff, 0, 0xff, 0, 0});
  using Word = std::uint64_t;
  if (flow.stamp != stamp || flow.epoch != epoch_ || length < flow.least ||
      packet[0] != flow.first) {
    return false;
  }
  const std::uint8_t* transport = packet + 20;
  Word difference;
  if (flow.first >> 4 == 4) {
    difference = (load<Word>(packet + 12) ^ flow.ends[0]) |
                 ((load<Word>(packet + 4) ^ flow.ends[1]) & kFragmentAndProtocol);
  } else {
    difference = Word{packet[6]} ^ flow.protocol;
    for (unsigned i = 0; i < 4; ++i)
      difference |= load<Word>(packet + 8 + 8 * i) ^ flow.ends[i];
    transport = packet + 40;
  }
  difference |= load<std::uint32_t>(transport) ^ flow.ports;
  return difference == 0 && (flow.protocol == kUdp || (transport[13] & kTurns) == 0);
}

inline RecentFlows::Flow* RecentFlows::places_of(const std::uint8_t* packet,
                                                 std::uint32_t length) const noexcept {
  // Without a pattern. Who finds flows that meet in one place makes them be looked up, and no more.
  constexpr std::uint64_t kSeeds[] = {0x9e3779b97f4a7c15, 0xc2b2ae3d27d4eb4f, 0x165667b19e3779f9,
                                      0xd6e8feb86659fd93};
  // 128 bits of a product, folded.
  constexpr auto mix = [](std::uint64_t a, std::uint64_t b) {
    __extension__ using Wide = unsigned __int128;
    const Wide product = Wide{a} * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  };
  using Word = std::uint64_t;
  constexpr std::uint32_t kPorts = 8;  // those of the shortest header, and what follows them
  std::uint64_t number;
  if (length >= 20 + kPorts && packet[0] >> 4 == 4) {
    number = mix(load<Word>(packet + 12) ^ kSeeds[0], load<std::uint32_t>(packet + 20) ^ kSeeds[1]);
  } else if (length >= 40 + kPorts) {
    const Word ends = mix(load<Word>(packet + 8) ^ kSeeds[0], load<Word>(packet + 24) ^ kSeeds[1]) ^
                      mix(load<Word>(packet + 16) ^ kSeeds[2], load<Word>(packet + 32) ^ kSeeds[3]);
    number = mix(ends, load<std::uint32_t>(packet + 40) ^ kSeeds[1]);
  } else {
    return nullptr;
  }
  static_assert(std::has_single_bit(kMost));
  return flows_ + (number & (kMost - 2));
}

}  // namespace ipop::engine::firewall
