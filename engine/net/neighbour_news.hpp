// What was heard of a neighbour, and a log of it for those who did not hear it: a card gives an
// answer to one of its queues, whoever asked. One writer, any number of readers; who falls behind
// misses the oldest, and asks again.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <type_traits>

#include "base/ip.hpp"
#include "base/mac_address.hpp"
#include "engine/net/neighbours.hpp"

namespace ipop::engine {

struct NeighbourNews {
  IpAddress address;
  MacAddress mac;
  Neighbours::Claim claim;
  bool says_where = true;  // false: it is there, where it was

  friend bool operator==(const NeighbourNews&, const NeighbourNews&) = default;
};

class NeighbourLog {
 public:
  static constexpr std::uint32_t kKept = 64;

  // The one writer.
  void write(const NeighbourNews& news) noexcept {
    const std::uint32_t number = written_.load(std::memory_order_relaxed);
    Entry& entry = entries_[number % kKept];
    // Odd: in the middle of it. Each word is released, so that whoever reads one of the new sees
    // that, too.
    entry.version.store(2 * number + 1, std::memory_order_relaxed);
    Words words{};
    std::memcpy(words.data(), &news, sizeof news);
    for (std::size_t i = 0; i < words.size(); ++i)
      entry.words[i].store(words[i], std::memory_order_release);
    entry.version.store(2 * number + 2, std::memory_order_release);
    written_.store(number + 1, std::memory_order_release);
  }

  // Any thread, with a place of its own that was 0 at first.
  //   take(const NeighbourNews& news)
  template <typename Take>
  void read(std::uint32_t& place, Take take) const noexcept {
    const std::uint32_t end = written_.load(std::memory_order_acquire);
    if (end - place > kKept) place = end - kKept;
    for (; place != end; ++place) {
      const Entry& entry = entries_[place % kKept];
      const std::uint32_t version = 2 * place + 2;
      if (entry.version.load(std::memory_order_acquire) != version) continue;
      Words words;
      for (std::size_t i = 0; i < words.size(); ++i)
        words[i] = entry.words[i].load(std::memory_order_acquire);
      if (entry.version.load(std::memory_order_relaxed) != version) continue;
      NeighbourNews news;
      std::memcpy(static_cast<void*>(&news), words.data(), sizeof news);
      take(news);
    }
  }

 private:
  using Words = std::array<std::uint64_t, (sizeof(NeighbourNews) + 7) / 8>;
  static_assert(std::is_trivially_copyable_v<NeighbourNews>);
  struct Entry {
    std::atomic<std::uint32_t> version{0};
    std::array<std::atomic<std::uint64_t>, std::tuple_size_v<Words>> words{};
  };

  alignas(64) std::atomic<std::uint32_t> written_{0};
  std::array<Entry, kKept> entries_{};
};

}  // namespace ipop::engine
