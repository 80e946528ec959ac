// Where the stations of a link are: IP address → Ethernet address, with the states and times of
// RFC 4861 §7.3 and §10, for ARP as well. Only those that somebody sends to get an entry, so what
// others say fills nothing. Fixed memory; one lcore.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/mac_address.hpp"

namespace ipop::engine {

class Neighbours {
 public:
  static constexpr std::size_t kMost = 512;
  static constexpr Duration kReachable = std::chrono::seconds(30);
  static constexpr Duration kRetry = std::chrono::seconds(1);
  static constexpr unsigned kTries = 3;

  // Where it is; nullptr if nobody knows yet: then a question is due. The pointer is good until the
  // next call.
  [[nodiscard]] const MacAddress* find(const IpAddress& address, Instant now) noexcept;

  // How a neighbour says where it is.
  struct Claim {
    bool confirms = false;   // as an answer to our question
    bool overrides = false;  // even if it was elsewhere (RFC 4861 §4.4; ARP knows nothing else)

    friend bool operator==(const Claim&, const Claim&) = default;
  };
  // True if this one was waited for.
  bool learn(const IpAddress& address, const MacAddress& mac, Claim claim, Instant now) noexcept;
  // It answered without saying where it is.
  void confirm(const IpAddress& address, Instant now) noexcept;

  // A question that is due: to this station, or to all if `mac` is nullptr.
  //   ask(const IpAddress& address, const MacAddress* mac)
  // Asked in vain so often that it is forgotten:
  //   lost(const IpAddress& address)
  template <typename Ask, typename Lost>
  void tick(Instant now, Ask ask, Lost lost) noexcept {
    if (asking_ == 0) return;
    for (auto& set : sets_) {
      for (Entry& entry : set)
        if (entry.asks() && entry.due <= now) next_step(entry, now, ask, lost);
    }
  }
  // Some entry waits for an answer: tick() is to be called now and then.
  [[nodiscard]] bool is_asking() const noexcept { return asking_ != 0; }

 private:
  enum class State : std::uint8_t {
    kFree,
    kIncomplete,  // asked for, not known
    kReachable,   // known until `due`
    kProbe,       // known, and asked whether it is still there
  };
  struct Entry {
    IpAddress address;
    MacAddress mac;
    State state = State::kFree;
    std::uint8_t asked = 0;
    Instant due{};  // the next question, or when a reachable one has to be asked again
    Instant used{};

    [[nodiscard]] bool asks() const noexcept {
      return state == State::kIncomplete || state == State::kProbe;
    }
  };
  static constexpr std::size_t kWays = 4;
  static constexpr unsigned kSetBits = 7;
  using Set = std::array<Entry, kWays>;

  [[nodiscard]] Set& set_of(const IpAddress& address) noexcept;
  [[nodiscard]] Entry* entry_of(const IpAddress& address) noexcept;
  void change(Entry& entry, State state) noexcept;

  template <typename Ask, typename Lost>
  void next_step(Entry& entry, Instant now, Ask& ask, Lost& lost) noexcept {
    if (entry.asked == kTries) {
      change(entry, State::kFree);
      lost(entry.address);
      return;
    }
    ++entry.asked;
    entry.due = now + kRetry;
    ask(entry.address, entry.state == State::kProbe ? &entry.mac : nullptr);
  }

  static_assert(kMost == kWays << kSetBits);
  std::array<Set, kMost / kWays> sets_;
  std::size_t asking_ = 0;  // entries that ask
};

}  // namespace ipop::engine
