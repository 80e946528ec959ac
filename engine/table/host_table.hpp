// Inner host address → peer: DPDK's cuckoo hash with lock-free readers, keyed by the 16 bytes of an
// address. It starts small and is replaced by a larger one as it fills. The overlay thread writes,
// lcores find.
#pragma once

#include <rte_hash.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "base/ip.hpp"
#include "engine/api/types.hpp"
#include "engine/table/reclaim.hpp"

namespace ipop::engine {

class HostTable {
 public:
  // Throws std::runtime_error. EAL must run.
  HostTable(std::uint32_t max_hosts, Reclaimer& reclaimer);
  ~HostTable();
  HostTable(const HostTable&) = delete;
  HostTable& operator=(const HostTable&) = delete;

  // Overlay thread. `host` is not there yet; false if the table is full.
  [[nodiscard]] bool add(const IpAddress& host, PeerIndex peer);
  void remove(const IpAddress& host);
  [[nodiscard]] std::uint32_t size() const noexcept { return size_; }

  // kNoPeer if there is none.
  [[nodiscard]] PeerIndex find(const IpAddress& host) const noexcept;
  // At most kMaxBulk; faster than one by one, as memory is fetched ahead.
  static constexpr std::size_t kMaxBulk = 32;
  void find_bulk(std::span<const IpAddress* const> hosts, PeerIndex* into) const noexcept;

  // EAL memory that a table for `max_hosts` needs while it grows, a little above the truth.
  [[nodiscard]] static std::size_t memory(std::uint32_t max_hosts) noexcept;

 private:
  struct Free {
    void operator()(rte_hash* at) const noexcept { rte_hash_free(at); }
  };
  using Hash = std::unique_ptr<rte_hash, Free>;

  [[nodiscard]] Hash make(std::uint32_t entries) const;
  [[nodiscard]] bool grow();

  const std::uint32_t max_hosts_;
  const std::uint32_t seed_;
  Reclaimer& reclaimer_;
  std::uint32_t capacity_;
  std::uint32_t size_ = 0;
  std::atomic<rte_hash*> hash_;  // lcore: r, overlay: w
};

}  // namespace ipop::engine
