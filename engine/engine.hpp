// The engine as a whole: pool, table, rings and lcores, each around two ports. Built, started and
// stopped by the start-up thread; between start and stop the overlay thread uses table(), punts(),
// injector() and sockets().
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "conf/config.hpp"
#include "engine/api/fate.hpp"
#include "engine/api/forwarding_table.hpp"
#include "engine/api/inject.hpp"
#include "engine/api/punt.hpp"
#include "engine/api/wire_sockets.hpp"
#include "engine/mempool.hpp"
#include "engine/port/port.hpp"
#include "engine/table/dpdk_forwarding_table.hpp"

namespace ipop::engine {

struct EngineSettings {
  // Where lcores run, one after another; the kernel chooses for those beyond it.
  std::vector<std::uint32_t> cpus;
  conf::PollMode poll = conf::PollMode::kAdaptive;
  conf::Hugepages hugepages = conf::Hugepages::kAuto;
  std::uint32_t memory_mb = 0;  // 0 = what the sizes below need
  TableSizes table;
  PoolSettings pool;  // for all lcores together
  PoolSettings supers = kSuperPool;
  const char* aead = nullptr;  // as make_aead_engine() takes it
  std::string pci_device;      // as EalSettings
};

// Starts EAL as these settings need it, if it does not run yet. The constructor below does so too;
// ports that need EAL to be built call this first. Throws std::runtime_error.
void start_eal_for(const EngineSettings& settings);

// An lcore's: one queue of the host's interface, one of the wire.
struct EnginePorts {
  std::unique_ptr<HostPort> host;
  std::unique_ptr<WirePort> wire;
};

class Engine {
 public:
  // An lcore for each pair of ports, 1 to kMaxLanes. Throws std::runtime_error; nothing half-made
  // is left.
  Engine(const EngineSettings& settings, std::vector<EnginePorts> ports);
  Engine(const EngineSettings& settings, std::unique_ptr<HostPort> host,
         std::unique_ptr<WirePort> wire);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Once. Throws std::runtime_error.
  void start();
  // Joins all lcores; orders given so far are carried out, staged packets are dropped. May be
  // called again.
  void stop() noexcept;

  [[nodiscard]] ForwardingTable& table() noexcept;
  [[nodiscard]] PuntQueue& punts() noexcept;
  [[nodiscard]] Injector& injector() noexcept;
  [[nodiscard]] WireSockets& sockets() noexcept;
  // The firewall, as DpdkForwardingTable has it. Overlay thread, or before start().
  void set_firewall(const conf::Firewall& rules, const DpdkForwardingTable::MarksOf& marks_of);
  void set_marks(PeerIndex peer, const firewall::PeerNames& names);
  [[nodiscard]] FirewallCounts firewall_counts(Instant now) const;

  // Any thread.
  [[nodiscard]] EngineCounters counters() const noexcept;
  [[nodiscard]] WireEvents wire_events() const noexcept;
  [[nodiscard]] bool wire_is_gone() const noexcept;
  [[nodiscard]] unsigned lcores() const noexcept;
  [[nodiscard]] std::string_view poll_mode() const noexcept;  // "adaptive" or "busy"
  [[nodiscard]] std::string_view aead_name() const noexcept;
  // A bit per AeadSuite (1 << suite) that this machine can use: what a handshake may offer.
  [[nodiscard]] std::uint8_t suites() const noexcept;
  // Buffers that are not in use; all of them after stop() and once punts are drained.
  [[nodiscard]] std::uint32_t free_packets() const noexcept;
  [[nodiscard]] std::uint32_t all_packets() const noexcept;
  [[nodiscard]] std::uint64_t sleeps() const noexcept;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace ipop::engine
