#include "engine/engine.hpp"

#include <utility>

#include "engine/eal.hpp"
#include "engine/lcore.hpp"

namespace ipop::engine {
namespace {

constexpr std::uint32_t kLcores = 1;

// EAL's own book-keeping, rings, and what its allocator loses to alignment.
constexpr std::size_t kSpareBytes = std::size_t{16} << 20;

std::uint32_t memory_mb(const EngineSettings& settings) noexcept {
  if (settings.memory_mb != 0) return settings.memory_mb;
  const std::size_t bytes = Mempool::memory(settings.pool) + Mempool::memory(settings.supers) +
                            DpdkForwardingTable::memory(settings.table) + kSpareBytes;
  return static_cast<std::uint32_t>((bytes + (1u << 20) - 1) >> 20);
}

// The wire has its buffers from here on.
struct Attached {
  Attached(WirePort& wire, const PacketPools& pools) { wire.attach(pools); }
};

// The wire's sockets, which are freed as what the table unlinks is.
class ReclaimedSockets final : public WireSockets {
 public:
  ReclaimedSockets(WirePort& wire, Reclaimer& reclaimer) : wire_(wire), reclaimer_(reclaimer) {}

  Result<std::uint16_t> open_socket() override { return wire_.open_socket(); }
  void close_socket(std::uint16_t socket) override {
    reclaimer_.defer(wire_.unlink_socket(socket));
  }

 private:
  WirePort& wire_;
  Reclaimer& reclaimer_;
};

}  // namespace

void start_eal_for(const EngineSettings& settings) {
  start_eal({.hugepages = settings.hugepages,
             .memory_mb = memory_mb(settings),
             .pci_device = settings.pci_device});
}

// In the order in which they need each other: the lcore goes first, the pool last.
struct Engine::Parts {
  Parts(const EngineSettings& settings, std::unique_ptr<HostPort> host_port,
        std::unique_ptr<WirePort> wire_port)
      : poll(settings.poll),
        pool(settings.pool),
        supers(settings.supers),
        host(std::move(host_port)),
        wire(std::move(wire_port)),
        attached(*wire, {pool.get(), supers.get()}),
        table(settings.table, kLcores, make_aead_engine(settings.aead)),
        sockets(*wire, table.reclaimer()),
        punts(pool.get()),
        orders(pool.get()),
        state({*host, *wire, {pool.get(), supers.get()}, table.reader(), punts, orders},
              make_aead_engine(settings.aead)),
        lcore({.number = 1, .cpu = settings.cpu, .poll = settings.poll}, state, *host, *wire,
              orders, table.qsbr()) {}

  conf::PollMode poll;
  Mempool pool;
  Mempool supers;
  std::unique_ptr<HostPort> host;
  std::unique_ptr<WirePort> wire;
  Attached attached;
  DpdkForwardingTable table;
  ReclaimedSockets sockets;
  PuntRing punts;
  InjectRing orders;
  LcoreState state;
  Lcore lcore;
};

Engine::Engine(const EngineSettings& settings, std::unique_ptr<HostPort> host,
               std::unique_ptr<WirePort> wire) {
  start_eal_for(settings);
  parts_ = std::make_unique<Parts>(settings, std::move(host), std::move(wire));
}

Engine::~Engine() {
  stop();
}

void Engine::start() {
  parts_->lcore.start();
}

void Engine::stop() noexcept {
  parts_->lcore.stop();
}

ForwardingTable& Engine::table() noexcept {
  return parts_->table;
}

PuntQueue& Engine::punts() noexcept {
  return parts_->punts;
}

Injector& Engine::injector() noexcept {
  return parts_->orders;
}

EngineCounters Engine::counters() const noexcept {
  EngineCounters sum;
  parts_->state.counters().add_to(sum);
  sum.injected = parts_->orders.accepted();
  sum.inject_refused = parts_->orders.refused();
  sum.neighbour_answered = parts_->host->neighbour_answered();
  return sum;
}

WireEvents Engine::wire_events() const noexcept {
  return parts_->wire->events();
}

bool Engine::wire_is_gone() const noexcept {
  return parts_->wire->is_gone();
}

WireSockets& Engine::sockets() noexcept {
  return parts_->sockets;
}

std::string_view Engine::poll_mode() const noexcept {
  return parts_->poll == conf::PollMode::kBusy ? "busy" : "adaptive";
}

std::string_view Engine::aead_name() const noexcept {
  return parts_->state.aead().name();
}

std::uint8_t Engine::suites() const noexcept {
  return parts_->state.aead().suites();
}

std::uint32_t Engine::free_packets() const noexcept {
  return parts_->pool.available() + parts_->supers.available();
}

std::uint32_t Engine::all_packets() const noexcept {
  return parts_->pool.size() + parts_->supers.size();
}

std::uint64_t Engine::sleeps() const noexcept {
  return parts_->lcore.sleeps();
}

}  // namespace ipop::engine
