// Where one lcore lets packets of one direction through, or not: flows that are known pass at once,
// the rules are asked for the rest. One lcore; no lock, no allocation. What the packets of a burst
// have in common with the one before them is not looked up again.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "engine/api/fate.hpp"
#include "engine/firewall/firewall.hpp"

namespace ipop::engine::firewall {

class Gate {
 public:
  Gate(const Firewall& firewall, unsigned lcore, Direction direction) noexcept
      : firewall_(firewall), lcore_(lcore), direction_(direction) {}

  // Around what is judged with one clock reading, between two quiescent states.
  void begin_burst(Instant now) noexcept {
    rules_ = firewall_.rules();
    if (rules_ != nullptr) [[unlikely]]
      start(now);
  }
  void end_burst() noexcept {
    if (rules_ != nullptr) [[unlikely]]
      settle();
  }
  // Whether there is anything to be judged. All below only if so.
  [[nodiscard]] bool is_on() const noexcept { return rules_ != nullptr; }
  // Which of a peer's marks are for the rules in force.
  [[nodiscard]] unsigned slot() const noexcept { return rules_->slot(); }

  // Whether the packet is of the flow of the last one that passed, and like it; `stamp`: of its
  // peer's marks. It is counted as that one was.
  [[nodiscard]] bool continues(const std::uint8_t* packet, std::uint32_t length,
                               std::uint32_t stamp) const noexcept;
  // kSent: it passes. `packet`: as read_facts() takes it. A packet that does not pass is counted
  // for its rule, as `packets` of wire size. One that passes is for the caller to count.
  [[nodiscard]] Fate judge(ByteView packet, const StampedMarks& marks,
                           std::uint32_t packets) noexcept;
  // Fetches what judge() will look for, of a packet as it takes it, if it is nothing special.
  void prefetch(const std::uint8_t* packet, std::uint32_t length) const noexcept;

  // What passed last, for its rule.
  void count(std::uint32_t packets, std::uint32_t bytes) noexcept {
    packets_ += packets;
    bytes_ += bytes;
  }
  // The same for a caller who counts anyway: all that these grow by from now on, until another
  // packet is judged or the burst ends.
  void count_by(const OwnedCounter& packets, const OwnedCounter& bytes) noexcept {
    theirs_ = {&packets, &bytes, packets.get(), bytes.get()};
  }
  // Writes down what was counted so far.
  void settle() noexcept;
  [[nodiscard]] bool counts_by(const OwnedCounter& packets) const noexcept {
    return theirs_.packets == &packets;
  }

 private:
  // What a packet has that is like the last: of IPv4 without options or IPv6 without extensions,
  // TCP without SYN, FIN and RST, or UDP. Holds for a second, as what was found of its flow does.
  struct Like {
    std::uint32_t stamp = 0;  // 0: nothing is
    std::uint64_t ends[4] = {};
    std::uint32_t ports = 0;
    std::uint32_t least = 0;  // bytes of headers
    std::uint8_t first = 0;
    std::uint8_t protocol = 0;
  };
  struct Theirs {
    const OwnedCounter* packets = nullptr;
    const OwnedCounter* bytes = nullptr;
    std::uint64_t packets_before = 0;
    std::uint64_t bytes_before = 0;
  };
  struct Judged {
    bool allow = false;
    std::uint16_t rule = 0;
    bool full = false;  // allowed, and no room for its flow
  };

  void start(Instant now) noexcept;
  void add(std::uint16_t rule, std::uint64_t packets, std::uint64_t bytes) noexcept;
  [[nodiscard]] Fate denied() const noexcept {
    return direction_ == Direction::kIn ? Fate::kDropFirewallIn : Fate::kDropFirewallOut;
  }
  [[nodiscard]] Judged judge_flow(const PacketFacts& facts, const StampedMarks& marks) noexcept;
  [[nodiscard]] Judged judge_new(const PacketFacts& facts, const FlowKey& key,
                                 const StampedMarks& marks) noexcept;
  [[nodiscard]] Judged judge_error(ByteView packet, const PacketFacts& facts,
                                   const StampedMarks& marks) noexcept;
  [[nodiscard]] Judged ask_rules(const PacketFacts& facts, const StampedMarks& marks) noexcept;
  // Of a flow that was judged by other rules, or when its peer was another.
  void judge_again(FlowTable::Found& found, PacketFacts facts, const StampedMarks& marks) noexcept;
  void refresh(const FlowTable::Found& found, const PacketFacts& facts) noexcept;
  [[nodiscard]] Fate judge_fragment(const PacketFacts& facts, const StampedMarks& marks,
                                    Judged& judged) noexcept;
  void remember(ByteView packet, const PacketFacts& facts, std::uint32_t stamp) noexcept;

  const Firewall& firewall_;
  const unsigned lcore_;
  const Direction direction_;
  const PublishedRules* rules_ = nullptr;  // of this burst
  std::uint32_t generation_ = 0;           // of the rules that the last burst had
  std::uint32_t now_s_ = 0;
  std::uint16_t rule_ = 0;  // of what passed last
  std::uint64_t packets_ = 0;
  std::uint64_t bytes_ = 0;
  Theirs theirs_;
  Like like_;
};

// Inline: it is all that most packets need.
inline bool Gate::continues(const std::uint8_t* packet, std::uint32_t length,
                            std::uint32_t stamp) const noexcept {
  const auto load = []<class Word>(Word, const std::uint8_t* at) {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word;
  };
  // Of IPv4's second word: fragment bits without "don't", and the protocol.
  constexpr auto kFragmentAndProtocol =
      std::bit_cast<std::uint64_t>(std::array<std::uint8_t, 8>{0, 0, 0x3f, 0xff, 0, 0xff, 0, 0});
  constexpr std::uint8_t kTurns = tcp_flag::kSyn | tcp_flag::kFin | tcp_flag::kRst;
  constexpr std::uint64_t kWord{};
  const Like& like = like_;
  if (like.stamp != stamp || length < like.least || packet[0] != like.first) return false;
  const std::uint8_t* transport = packet + 20;
  std::uint64_t difference;
  if (like.first >> 4 == 4) {
    difference = (load(kWord, packet + 12) ^ like.ends[0]) |
                 ((load(kWord, packet + 4) ^ like.ends[1]) & kFragmentAndProtocol);
  } else {
    difference = std::uint64_t{packet[6]} ^ like.protocol;
    for (unsigned i = 0; i < 4; ++i)
      difference |= load(kWord, packet + 8 + 8 * i) ^ like.ends[i];
    transport = packet + 40;
  }
  difference |= load(std::uint32_t{}, transport) ^ like.ports;
  return difference == 0 && (like.protocol == kUdp || (transport[13] & kTurns) == 0);
}

}  // namespace ipop::engine::firewall
