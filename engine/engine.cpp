#include "engine/engine.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <stdexcept>
#include <utility>

#include "engine/eal.hpp"
#include "engine/lcore.hpp"
#include "engine/path/inject_rings.hpp"
#include "engine/path/punt_queues.hpp"

namespace ipop::engine {
namespace {

// EAL's own book-keeping, rings, and what its allocator loses to alignment.
constexpr std::size_t kSpareBytes = std::size_t{8} << 20;

std::uint32_t memory_mb(const EngineSettings& settings) noexcept {
  if (settings.memory_mb != 0) return settings.memory_mb;
  const std::size_t bytes = Mempool::memory(settings.pool) + Mempool::memory(settings.supers) +
                            DpdkForwardingTable::memory(settings.table) + kSpareBytes;
  return static_cast<std::uint32_t>((bytes + (1u << 20) - 1) >> 20);
}

// The wire's sockets, which are freed as what the table unlinks is.
class ReclaimedSockets final : public WireSockets {
 public:
  ReclaimedSockets(WirePort& wire, Reclaimer& reclaimer) : wire_(wire), reclaimer_(reclaimer) {}

  Result<std::uint16_t> open_socket() override { return wire_.open_socket(); }
  void close_socket(std::uint16_t socket) override {
    reclaimer_.defer(wire_.unlink_socket(socket));
  }
  unsigned lane_ports() const override { return wire_.lane_ports(); }

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

namespace {

// What one lcore has for itself. In the order in which they need each other.
struct LcoreParts {
  LcoreParts(EnginePorts own, const PacketPools& pools)
      : ports(std::move(own)), punts(pools.packets), orders(pools.packets, bell) {
    ports.wire->attach(pools);
  }

  EnginePorts ports;
  Bell bell;
  PuntRing punts;
  InjectRing orders;
  std::optional<LcoreState> state;
  std::optional<Lcore> lcore;
};

using AllLcores = std::vector<std::unique_ptr<LcoreParts>>;

AllLcores make_lcores(std::vector<EnginePorts> ports, const PacketPools& pools) {
  if (ports.empty() || ports.size() > kMaxLanes) {
    throw std::runtime_error("an engine has 1 to " + std::to_string(kMaxLanes) + " lcores");
  }
  AllLcores lcores;
  for (EnginePorts& own : ports)
    lcores.push_back(std::make_unique<LcoreParts>(std::move(own), pools));
  return lcores;
}

template <typename Part>
auto each(const AllLcores& lcores, Part part) {
  std::vector<decltype(part(*lcores.front()))> parts;
  for (const auto& lcore : lcores)
    parts.push_back(part(*lcore));
  return parts;
}

}  // namespace

// In the order in which they need each other: lcores go first, the pools last.
struct Engine::Parts {
  Parts(const EngineSettings& settings, std::vector<EnginePorts> ports);

  conf::PollMode poll;
  Mempool pool;
  Mempool supers;
  AllLcores lcores;
  DpdkForwardingTable table;
  ReclaimedSockets sockets;
  PuntQueues punts;
  InjectRings orders;
  HandoverRings handover;
};

Engine::Parts::Parts(const EngineSettings& settings, std::vector<EnginePorts> ports)
    : poll(settings.poll),
      pool(settings.pool),
      supers(settings.supers),
      lcores(make_lcores(std::move(ports), {pool.get(), supers.get()})),
      table(settings.table, static_cast<std::uint32_t>(lcores.size()),
            make_aead_engine(settings.aead)),
      sockets(*lcores.front()->ports.wire, table.reclaimer()),
      punts(each(lcores, [](LcoreParts& lcore) { return &lcore.punts; })),
      orders(each(lcores, [](LcoreParts& lcore) { return &lcore.orders; }),
             table.reader().sessions),
      handover(each(lcores, [](LcoreParts& lcore) { return &lcore.bell; })) {
  const auto count = static_cast<unsigned>(lcores.size());
  for (unsigned i = 0; i < count; ++i) {
    LcoreParts& own = *lcores[i];
    const LcoreState::Parts parts{.host = *own.ports.host,
                                  .wire = *own.ports.wire,
                                  .pools = {pool.get(), supers.get()},
                                  .table = table.reader(),
                                  .punts = own.punts,
                                  .orders = own.orders,
                                  .share = {i, count},
                                  .handover = {handover, i}};
    const LcoreSettings how{.number = i + 1,
                            .cpu = i < settings.cpus.size() ? settings.cpus[i] : conf::kAnyCpu,
                            .poll = settings.poll};
    own.state.emplace(parts, make_aead_engine(settings.aead));
    own.lcore.emplace(how, *own.state, *own.ports.host, *own.ports.wire, own.bell, table.qsbr());
  }
}

Engine::Engine(const EngineSettings& settings, std::vector<EnginePorts> ports) {
  start_eal_for(settings);
  parts_ = std::make_unique<Parts>(settings, std::move(ports));
}

Engine::Engine(const EngineSettings& settings, std::unique_ptr<HostPort> host,
               std::unique_ptr<WirePort> wire) {
  start_eal_for(settings);
  std::vector<EnginePorts> one(1);
  one.front() = {std::move(host), std::move(wire)};
  parts_ = std::make_unique<Parts>(settings, std::move(one));
}

Engine::~Engine() {
  stop();
}

void Engine::start() {
  try {
    for (const auto& own : parts_->lcores)
      own->lcore->start();
  } catch (...) {
    stop();
    throw;
  }
}

void Engine::stop() noexcept {
  // All at once: while one still runs it may wake another.
  for (const auto& own : parts_->lcores)
    own->lcore->ask_to_stop();
  for (const auto& own : parts_->lcores)
    own->lcore->stop();
  for (const auto& own : parts_->lcores)
    own->state->drop_handed_over();
}

unsigned Engine::lcores() const noexcept {
  return static_cast<unsigned>(parts_->lcores.size());
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
  for (const auto& own : parts_->lcores) {
    own->state->counters().add_to(sum);
    sum.neighbour_answered += own->ports.host->neighbour_answered();
  }
  sum.injected = parts_->orders.accepted();
  sum.inject_refused = parts_->orders.refused();
  return sum;
}

WireEvents Engine::wire_events() const noexcept {
  WireEvents sum{};
  for (const auto& own : parts_->lcores) {
    const WireEvents events = own->ports.wire->events();
    std::ranges::transform(sum, events, sum.begin(), std::plus());
  }
  return sum;
}

bool Engine::wire_is_gone() const noexcept {
  return parts_->lcores.front()->ports.wire->is_gone();
}

WireSockets& Engine::sockets() noexcept {
  return parts_->sockets;
}

void Engine::set_firewall(const conf::Firewall& rules,
                          const DpdkForwardingTable::MarksOf& marks_of) {
  parts_->table.set_firewall(rules, marks_of);
}

void Engine::set_marks(PeerIndex peer, const firewall::PeerNames& names) {
  const firewall::RuleSet* const rules = parts_->table.firewall_rules();
  if (rules != nullptr) parts_->table.set_marks(peer, rules->marks_of(names));
}

FirewallCounts Engine::firewall_counts(Instant now) const {
  return parts_->table.firewall_counts(now);
}

std::string_view Engine::poll_mode() const noexcept {
  return parts_->poll == conf::PollMode::kBusy ? "busy" : "adaptive";
}

std::string_view Engine::aead_name() const noexcept {
  return parts_->lcores.front()->state->aead().name();
}

std::uint8_t Engine::suites() const noexcept {
  return parts_->lcores.front()->state->aead().suites();
}

std::uint32_t Engine::free_packets() const noexcept {
  return parts_->pool.available() + parts_->supers.available();
}

std::uint32_t Engine::all_packets() const noexcept {
  return parts_->pool.size() + parts_->supers.size();
}

std::uint64_t Engine::sleeps() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& own : parts_->lcores)
    sum += own->lcore->sleeps();
  return sum;
}

}  // namespace ipop::engine
