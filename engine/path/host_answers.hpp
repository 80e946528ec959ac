// ICMP errors to the host for packets that cannot be carried, at a bounded rate. One lcore. It
// reads the packet; what becomes of that is its caller's business.
#pragma once

#include <rte_mempool.h>

#include <cstdint>

#include "base/clock.hpp"
#include "engine/api/inject.hpp"
#include "engine/lcore_counters.hpp"
#include "engine/path/host_batch.hpp"

namespace ipop::engine {

class HostAnswers {
 public:
  // RFC 1812 §4.3.2.8 and RFC 4443 §2.4 (f) ask for a limit: so many in a row, and in a second.
  static constexpr unsigned kMostInARow = 64;
  static constexpr unsigned kPerSecond = 200;

  HostAnswers(rte_mempool* pool, HostBatch& host, LcoreCounters& counters) noexcept
      : pool_(pool), host_(host), counters_(counters) {}

  // `packet` starts at its IP header. Without a buffer or beyond the rate there is no answer.
  void too_big(rte_mbuf* packet, std::uint32_t room, Instant now) noexcept;
  void unreachable(rte_mbuf* packet, RejectReason reason, Instant now) noexcept;

 private:
  template <typename Build>
  void answer(rte_mbuf* packet, Instant now, Build build) noexcept;
  [[nodiscard]] bool may_answer(Instant now) noexcept;

  rte_mempool* pool_;
  HostBatch& host_;
  LcoreCounters& counters_;
  unsigned credit_ = kMostInARow;
  Instant credited_{};
};

}  // namespace ipop::engine
