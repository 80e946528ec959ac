#include "engine/firewall/flow_table.hpp"

#include <sys/mman.h>
#include <sys/random.h>

#include <algorithm>
#include <bit>
#include <new>
#include <stdexcept>
#include <utility>

namespace ipop::engine::firewall {
namespace {

// The last word of a key; the kind is never zero, so no key is that of an empty entry.
enum Kind : std::uint64_t {
  kPlain = 1,
  kQueryIn,  // who asked decides: both ends may ask with the same number
  kQueryOut,
  kFragmentIn,
  kFragmentOut,
};

std::uint64_t last_word(Kind kind, std::uint8_t protocol, std::uint32_t rest) noexcept {
  return static_cast<std::uint64_t>(kind) << 40 | std::uint64_t{protocol} << 32 | rest;
}

FlowKey key_of(const PacketFacts& facts, std::uint64_t last) noexcept {
  const auto local = std::bit_cast<std::array<std::uint64_t, 2>>(facts.local.bytes());
  const auto remote = std::bit_cast<std::array<std::uint64_t, 2>>(facts.remote.bytes());
  return {{local[0], local[1], remote[0], remote[1], last}};
}

std::uint64_t pack(const FlowVerdict& verdict) noexcept {
  return std::uint64_t{verdict.stamp} << 32 | std::uint64_t{verdict.rule} << 16 |
         static_cast<std::uint64_t>(verdict.origin) << 1 |
         static_cast<std::uint64_t>(verdict.denied);
}

FlowVerdict unpack_verdict(std::uint64_t word) noexcept {
  return {.stamp = static_cast<std::uint32_t>(word >> 32),
          .rule = static_cast<std::uint16_t>(word >> 16),
          .origin = static_cast<Direction>(word >> 1 & 1),
          .denied = (word & 1) != 0};
}

std::uint64_t pack(const FlowLife& life) noexcept {
  return std::uint64_t{life.seen_s} << 32 | std::uint64_t{life.timeout_s} << 16 |
         static_cast<std::uint64_t>(life.answered) << 2 |
         static_cast<std::uint64_t>(life.finished) << 1 | static_cast<std::uint64_t>(life.reset);
}

FlowLife unpack_life(std::uint64_t word) noexcept {
  return {.seen_s = static_cast<std::uint32_t>(word >> 32),
          .timeout_s = static_cast<std::uint16_t>(word >> 16),
          .answered = (word & 4) != 0,
          .finished = (word & 2) != 0,
          .reset = (word & 1) != 0};
}

// Signed: another lcore's clock may be a little ahead.
bool is_over(const FlowLife& life, std::uint32_t now_s) noexcept {
  return life.timeout_s == 0 || static_cast<std::int32_t>(now_s - life.seen_s) > life.timeout_s;
}

// What gives way first: nobody, then what was closed, then what nobody answered. Not the rest.
enum Worth : std::uint8_t { kNothing, kClosed, kUnanswered, kAnswered };

Worth worth_of(const FlowLife& life, std::uint32_t now_s) noexcept {
  if (is_over(life, now_s)) return kNothing;
  if (life.reset) return kClosed;
  return life.answered ? kAnswered : kUnanswered;
}

// 128 bits of a product, folded.
std::uint64_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  __extension__ using Wide = unsigned __int128;
  const Wide product = Wide{a} * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace

FlowKey flow_key(const PacketFacts& facts, Direction direction) noexcept {
  using enum PacketFacts::IcmpKind;
  if (facts.icmp == kQuery || facts.icmp == kReply) {
    const Direction asked = facts.icmp == kQuery ? direction : opposite(direction);
    return key_of(facts, last_word(asked == Direction::kIn ? kQueryIn : kQueryOut, facts.protocol,
                                   facts.query_id));
  }
  return key_of(facts, last_word(kPlain, facts.protocol,
                                 std::uint32_t{facts.remote_port} << 16 | facts.local_port));
}

FlowKey fragment_key(const PacketFacts& facts, Direction direction) noexcept {
  // RFC 791 numbers the packets of each protocol, RFC 8200 all together.
  const std::uint8_t protocol = facts.remote.is_v4() ? facts.protocol : std::uint8_t{0};
  return key_of(facts, last_word(direction == Direction::kIn ? kFragmentIn : kFragmentOut, protocol,
                                 facts.fragment_id));
}

// lcores: rw
struct alignas(64) FlowTable::Entry {
  std::atomic<std::uint32_t> version;  // odd: being replaced
  std::atomic<std::uint64_t> verdict;
  std::atomic<std::uint64_t> life;
  std::array<std::atomic<std::uint64_t>, 5> key;

  // Acquire, each of them: the version that is read after them is not read before.
  [[nodiscard]] bool has(const FlowKey& wanted) const noexcept {
    std::uint64_t difference = 0;
    for (std::size_t i = 0; i < key.size(); ++i)
      difference |= key[i].load(std::memory_order_acquire) ^ wanted.words[i];
    return difference == 0;
  }
  [[nodiscard]] FlowLife lives() const noexcept {
    return unpack_life(life.load(std::memory_order_acquire));
  }
};

FlowTable::FlowTable(std::size_t flows) : mask_(std::bit_ceil(std::max(flows, kWays)) - 1) {
  static_assert(sizeof(Entry) == 64);
  if (getrandom(seed_.data(), sizeof seed_, 0) != sizeof seed_) {
    throw std::runtime_error("the system gives no random numbers");
  }
  // Comes page by page as it is touched: a small node pays for what it uses.
  void* const at = mmap(nullptr, size() * sizeof(Entry), PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED) throw std::bad_alloc();
  // Flows are found all over it: with small pages each would cost a miss of the TLB, too. If there
  // are no large ones, there are none.
  (void)madvise(at, size() * sizeof(Entry), MADV_HUGEPAGE);
  entries_ = static_cast<Entry*>(at);
}

FlowTable::~FlowTable() {
  munmap(entries_, size() * sizeof(Entry));
}

std::uint64_t FlowTable::hash(const FlowKey& key) const noexcept {
  const auto& w = key.words;
  const std::uint64_t ends =
      mix(w[0] ^ seed_[0], w[1] ^ seed_[1]) ^ std::rotl(mix(w[2] ^ seed_[2], w[3] ^ seed_[3]), 23);
  // Twice: flows that differ by a port alone would be as regular as their ports.
  return mix(mix(ends ^ w[4] ^ seed_[4], seed_[5] | 1) ^ seed_[0], seed_[1] | 1);
}

FlowTable::Entry* FlowTable::bucket_of(std::uint64_t hash) const noexcept {
  return entries_ + (hash & mask_ & ~(kWays - 1));
}

void FlowTable::prefetch(const FlowKey& key) const noexcept {
  const std::uint64_t number = hash(key);
  __builtin_prefetch(bucket_of(number) + (number >> 60) % kWays);
}

FlowTable::Found FlowTable::find(const FlowKey& key, std::uint32_t now_s) const noexcept {
  const std::uint64_t number = hash(key);
  Entry* const bucket = bucket_of(number);
  // Where insert() would have put it first: most are found there.
  for (std::size_t i = 0, way = number >> 60; i < kWays; ++i, ++way) {
    Entry& entry = bucket[way % kWays];
    const std::uint32_t version = entry.version.load(std::memory_order_acquire);
    if (!entry.has(key) || (version & 1) != 0) continue;
    const Found found{&entry, unpack_verdict(entry.verdict.load(std::memory_order_acquire)),
                      entry.lives()};
    // Relaxed: the loads above stay above. Pairs with the releases in insert().
    if (entry.version.load(std::memory_order_relaxed) != version) continue;
    if (!is_over(found.life, now_s)) return found;
  }
  return {};
}

// The same flow's place, or that of what is worth least; of what is worth the same, the one that
// was silent for longest.
FlowTable::Choice FlowTable::choose(Entry* bucket, std::size_t first, const FlowKey& key,
                                    std::uint32_t now_s) const noexcept {
  Choice best;
  Worth least = kAnswered;
  std::int32_t longest = 0;
  for (std::size_t i = 0, way = first; i < kWays; ++i, ++way) {
    Entry& entry = bucket[way % kWays];
    const std::uint32_t version = entry.version.load(std::memory_order_acquire);
    if ((version & 1) != 0) continue;
    if (entry.has(key)) return {&entry, version};
    const FlowLife life = entry.lives();
    const Worth worth = worth_of(life, now_s);
    const auto silent = static_cast<std::int32_t>(now_s - life.seen_s);
    if (worth > least || worth == kAnswered || (worth == least && silent <= longest)) continue;
    // Of empty places the first one, where it is looked for first.
    if (worth == kNothing && least == kNothing) continue;
    best = {&entry, version};
    least = worth;
    longest = silent;
  }
  return best;
}

bool FlowTable::insert(const FlowKey& key, const FlowVerdict& verdict, const FlowLife& life,
                       std::uint32_t now_s) noexcept {
  constexpr int kTries = 4;
  const std::uint64_t number = hash(key);
  Entry* const bucket = bucket_of(number);
  for (int i = 0; i < kTries; ++i) {
    auto [entry, version] = choose(bucket, number >> 60, key, now_s);
    if (entry == nullptr) return false;
    // Another lcore was quicker: look again.
    if (!entry->version.compare_exchange_strong(version, version + 1, std::memory_order_acquire)) {
      continue;
    }
    // Release, each of them: who sees one of them sees the odd version, too.
    entry->verdict.store(pack(verdict), std::memory_order_release);
    entry->life.store(pack(life), std::memory_order_release);
    for (std::size_t word = 0; word < key.words.size(); ++word)
      entry->key[word].store(key.words[word], std::memory_order_release);
    entry->version.store(version + 2, std::memory_order_release);
    return true;
  }
  return false;
}

void FlowTable::update(const Found& found, const FlowLife& life) noexcept {
  std::uint64_t was = pack(found.life);
  // Relaxed, here and below: the word says all there is to say. If it is another one by now, that
  // is as good.
  found.at->life.compare_exchange_strong(was, pack(life), std::memory_order_relaxed);
}

void FlowTable::update(const Found& found, const FlowVerdict& verdict) noexcept {
  std::uint64_t was = pack(found.verdict);
  found.at->verdict.compare_exchange_strong(was, pack(verdict), std::memory_order_relaxed);
}

std::size_t FlowTable::count(std::uint32_t now_s) const noexcept {
  std::size_t flows = 0;
  for (std::size_t i = 0; i < size(); ++i)
    flows += is_over(entries_[i].lives(), now_s) ? 0 : 1;
  return flows;
}

}  // namespace ipop::engine::firewall
