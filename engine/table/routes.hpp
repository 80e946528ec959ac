// Inner address → peer: whole addresses in a hash, other prefixes in a list that is replaced as a
// whole. The longest prefix wins. The overlay thread writes, lcores find without locks.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <span>

#include "base/error.hpp"
#include "engine/table/host_table.hpp"
#include "engine/table/prefix_list.hpp"

namespace ipop::engine {

class Routes {
 public:
  Routes(std::uint32_t max_hosts, std::uint32_t max_prefixes, Reclaimer& reclaimer);
  ~Routes();
  Routes(const Routes&) = delete;
  Routes& operator=(const Routes&) = delete;

  // Overlay thread. Adding what the peer already has succeeds; a prefix change copies the list.
  [[nodiscard]] Result<void> add(const Prefix& prefix, PeerIndex peer);
  // False if the peer does not have it.
  bool remove(const Prefix& prefix, PeerIndex peer);

  // Lcores. kNoPeer if there is none.
  [[nodiscard]] PeerIndex find(const IpAddress& address) const noexcept;
  // At most HostTable::kMaxBulk. A run of the same address is looked up once.
  void find_burst(std::span<const IpAddress> addresses, PeerIndex* into) const noexcept;

 private:
  void replace_list();

  const std::uint32_t max_prefixes_;
  Reclaimer& reclaimer_;
  HostTable hosts_;
  std::map<Prefix, PeerIndex> prefixes_;  // overlay: rw
  std::atomic<const PrefixList*> list_;   // lcore: r, overlay: w
};

}  // namespace ipop::engine
