// The flows that were allowed, so that their answers pass. One table for all lcores, as the two
// directions of a flow may be on different ones. Of a fixed size: what finds no room takes the
// place of what is worth less, never of a flow that was answered. Lcores find and write without
// locks; a flow that two of them write at once is judged once more. Entries are words that are read
// and written whole: a version that is odd while one is being replaced tells a reader that what it
// read is of two flows.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "engine/firewall/packet_facts.hpp"

namespace ipop::engine::firewall {

// What the packets of a flow have in common, the same seen from either direction.
struct FlowKey {
  std::array<std::uint64_t, 5> words{};

  friend bool operator==(const FlowKey&, const FlowKey&) = default;
};

// Of a packet that is no later fragment. `direction`: which way it goes; of a ping's request and
// reply both are part of the flow of who asked.
[[nodiscard]] FlowKey flow_key(const PacketFacts& facts, Direction direction) noexcept;
// What the fragments of one packet have in common.
[[nodiscard]] FlowKey fragment_key(const PacketFacts& facts, Direction direction) noexcept;

// By what, and for whom, a flow was judged. One word, so that no half of it is ever seen.
struct FlowVerdict {
  std::uint32_t stamp = 0;  // of the peer's marks
  std::uint16_t rule = 0;
  Direction origin = Direction::kIn;  // which way its first packet went
  bool denied = false;                // judged again by other rules, and denied now
};

// How a flow is doing. One word, too.
struct FlowLife {
  std::uint32_t seen_s = 0;     // the table's clock
  std::uint16_t timeout_s = 0;  // without packets; 0: it is over
  bool answered = false;
  bool finished = false;  // TCP's FIN was seen
  bool reset = false;     // TCP's RST
  friend bool operator==(const FlowLife&, const FlowLife&) = default;
};

class FlowTable {
  struct Entry;

 public:
  static constexpr std::size_t kWays = 8;

  // Rounded up to a power of two, and to kWays at least. Throws std::bad_alloc.
  explicit FlowTable(std::size_t flows);
  ~FlowTable();
  FlowTable(const FlowTable&) = delete;
  FlowTable& operator=(const FlowTable&) = delete;

  // A flow that was found. `at` may be another flow's as soon as this was returned: what is written
  // by it is taken only if nothing has changed.
  struct Found {
    Entry* at = nullptr;
    FlowVerdict verdict;
    FlowLife life;
    explicit operator bool() const noexcept { return at != nullptr; }
  };

  // Where find() will look first.
  void prefetch(const FlowKey& key) const noexcept;
  [[nodiscard]] Found find(const FlowKey& key, std::uint32_t now_s) const noexcept;
  // Replaces what is there of the same key. False: all places that it could have are taken by flows
  // that are worth more.
  [[nodiscard]] bool insert(const FlowKey& key, const FlowVerdict& verdict, const FlowLife& life,
                            std::uint32_t now_s) noexcept;
  void update(const Found& found, const FlowLife& life) noexcept;
  void update(const Found& found, const FlowVerdict& verdict) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return mask_ + 1; }
  // Counts them one by one: for people. Any thread.
  [[nodiscard]] std::size_t count(std::uint32_t now_s) const noexcept;

 private:
  struct Choice {
    Entry* entry = nullptr;
    std::uint32_t version = 0;
  };

  [[nodiscard]] std::uint64_t hash(const FlowKey& key) const noexcept;
  [[nodiscard]] Entry* bucket_of(std::uint64_t hash) const noexcept;
  [[nodiscard]] Choice choose(Entry* bucket, std::size_t first, const FlowKey& key,
                              std::uint32_t now_s) const noexcept;

  std::size_t mask_;
  std::array<std::uint64_t, 6> seed_{};  // nobody outside can aim at a place
  Entry* entries_;
};

}  // namespace ipop::engine::firewall
