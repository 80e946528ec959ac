// Whole engines with their own threads.
#include "engine/engine.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <numeric>

#include "engine/path/packet.hpp"
#include "engine/port/memory_port.hpp"
#include "engine/port/udp_port.hpp"
#include "tests/unit/engine/packets.hpp"

namespace ipop::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

bool wait_for(const std::function<bool()>& condition) {
  const Instant end = read_monotonic() + seconds(10);
  while (!condition()) {
    if (read_monotonic() > end) return false;
    ::poll(nullptr, 0, 1);  // the other threads may be waiting for this core
  }
  return true;
}

constexpr EngineSettings small(conf::PollMode poll) {
  EngineSettings settings;
  settings.poll = poll;
  settings.table = {.peers = 64, .sessions = 128, .hosts = 64, .prefixes = 64};
  settings.pool = {.packets = 2047};
  settings.supers.packets = 63;
  return settings;
}

// A host in memory, a wire of UDP on loopback.
struct UdpNode {
  explicit UdpNode(conf::PollMode poll) {
    start_eal_for(small(poll));
    auto memory = std::make_unique<MemoryHostPort>();
    auto udp = std::make_unique<UdpPort>(UdpSettings{.listen = {endpoint("127.0.0.1:0")}});
    host = memory.get();
    at = udp->bound()[0];
    engine = std::make_unique<Engine>(small(poll), std::move(memory), std::move(udp));
    packets.emplace(PoolSettings{.packets = 1023});
  }
  ~UdpNode() {
    engine->stop();
    engine->punts().drain(1 << 20, [](const Punt&) {});
    (void)frames();
    EXPECT_EQ(engine->free_packets(), engine->all_packets());
    const EngineCounters all = engine->counters();
    EXPECT_EQ(all.host_rx + all.wire_rx + all.injected + all.generated,
              std::accumulate(all.fates.begin(), all.fates.end(), std::uint64_t{0}));
  }

  void send(const Bytes& frame) {
    rte_mbuf* const packet = rte_pktmbuf_alloc(packets->get());
    ASSERT_NE(packet, nullptr);
    std::ranges::copy(frame, data_of(packet));
    set_length(packet, static_cast<std::uint32_t>(frame.size()));
    ASSERT_EQ(host->in().push({&packet, 1}), 1u);
  }
  std::vector<Bytes> frames() {
    std::vector<Bytes> taken;
    rte_mbuf* packet = nullptr;
    while (host->out().pop({&packet, 1}) == 1) {
      const MutableBytes bytes = bytes_of(packet);
      taken.emplace_back(bytes.begin(), bytes.end());
      rte_pktmbuf_free(packet);
    }
    return taken;
  }
  std::uint64_t count(Fate fate) const {
    return engine->counters().fates[static_cast<std::size_t>(fate)];
  }

  Endpoint at;
  MemoryHostPort* host = nullptr;
  std::optional<Mempool> packets;  // of the test's own thread; outlives the engine's packets
  std::unique_ptr<Engine> engine;
};

void join(UdpNode& alice, UdpNode& bob) {
  const auto there = Secret<32>::random();
  const auto back = Secret<32>::random();
  const PeerIndex peers[] = {*alice.engine->table().add_peer(), *bob.engine->table().add_peer()};
  const ReceiverIndex locals[] = {*alice.engine->table().reserve_session(),
                                  *bob.engine->table().reserve_session()};
  UdpNode* const nodes[] = {&alice, &bob};
  const char* const addresses[] = {"10.0.0.1", "10.0.0.2"};
  for (int i = 0; i < 2; ++i) {
    ForwardingTable& table = nodes[i]->engine->table();
    const Instant end = read_monotonic() + seconds(100);
    table.publish_session({.peer = peers[i],
                           .local = locals[i],
                           .remote = static_cast<std::uint32_t>(locals[1 - i]),
                           .send_key = i == 0 ? there : back,
                           .receive_key = i == 0 ? back : there,
                           .send_until = end,
                           .receive_until = end});
    table.use_session(peers[i], locals[i]);
    table.set_path(peers[i], {nodes[1 - i]->at, 1420});
    ASSERT_TRUE(table.add_route(prefix(addresses[1 - i]), peers[i]));
  }
}

class Engines : public testing::TestWithParam<conf::PollMode> {};

TEST_P(Engines, CarryPacketsOverUdp) {
  UdpNode alice(GetParam());
  UdpNode bob(GetParam());
  join(alice, bob);
  alice.engine->start();
  bob.engine->start();
  const Bytes packet = ip_packet(ip("10.0.0.1"), ip("10.0.0.2"), 500);
  for (int i = 0; i < 500; ++i)
    alice.send(frame_of(packet));
  ASSERT_TRUE(wait_for([&] { return bob.count(Fate::kDelivered) == 500; }));
  const auto frames = bob.frames();
  ASSERT_EQ(frames.size(), 500u);
  EXPECT_EQ(packet_of(frames[499]), packet);
}

TEST_P(Engines, ResolveRetryAndSendWhatWaited) {
  UdpNode alice(GetParam());
  UdpNode bob(GetParam());
  alice.engine->start();
  bob.engine->start();
  alice.send(frame_of(ip_packet(ip("10.0.0.1"), ip("10.0.0.2"))));
  IpAddress asked;
  ASSERT_TRUE(wait_for([&] {
    pollfd wait{.fd = alice.engine->punts().wake_fd(), .events = POLLIN};
    if (poll(&wait, 1, 0) != 1) return false;
    return alice.engine->punts().drain(10, [&](const Punt& punt) { asked = punt.address; }) == 1;
  }));
  EXPECT_EQ(asked, ip("10.0.0.2"));
  join(alice, bob);
  EXPECT_TRUE(alice.engine->injector().retry_staged());
  EXPECT_TRUE(wait_for([&] { return bob.count(Fate::kDelivered) == 1; }));
}

TEST_P(Engines, StopWithWorkInEveryCorner) {
  UdpNode alice(GetParam());
  alice.engine->start();
  for (std::uint32_t i = 0; i < 300; ++i) {
    alice.send(frame_of(ip_packet(ip("10.0.0.1"), IpAddress::v4(0x0a010000 + i % 200))));
    alice.engine->injector().send_datagram(alice.at, Bytes{0x81, 1, 2, 3});
  }
  ASSERT_TRUE(wait_for([&] { return alice.engine->counters().staged > 100; }));
  alice.engine->stop();
  EXPECT_GT(alice.count(Fate::kDropStagingExpired), 0u);
  alice.engine->stop();
}

INSTANTIATE_TEST_SUITE_P(PollModes, Engines,
                         testing::Values(conf::PollMode::kAdaptive, conf::PollMode::kBusy),
                         [](const auto& each) {
                           return each.param == conf::PollMode::kBusy ? "Busy" : "Adaptive";
                         });

double thread_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto in_seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime);
}

TEST(AdaptivePolling, UsesNoProcessorWhenIdleAndHoldsNothingBack) {
  UdpNode node(conf::PollMode::kAdaptive);
  node.engine->start();
  ASSERT_TRUE(wait_for([&] { return node.engine->sleeps() > 0; }));
  const double before = thread_seconds();
  const Instant begin = read_monotonic();
  ::poll(nullptr, 0, 300);  // what is measured is this time
  const double used = thread_seconds() - before;
  const double passed = std::chrono::duration<double>(read_monotonic() - begin).count();
  EXPECT_LT(used / passed, 0.05);
  // A sleeping lcore does not keep what is removed.
  const PeerIndex peer = *node.engine->table().add_peer();
  node.engine->table().remove_peer(peer);
  node.engine->table().reclaim();
  EXPECT_TRUE(wait_for([&] { return node.engine->table().add_peer() == peer; }));
}

TEST(AdaptivePolling, ExpiresWhatWaitsThoughNothingElseHappens) {
  UdpNode node(conf::PollMode::kAdaptive);
  node.engine->start();
  node.send(frame_of(ip_packet(ip("10.0.0.1"), ip("10.0.0.2"))));
  EXPECT_TRUE(wait_for([&] { return node.count(Fate::kDropStagingExpired) == 1; }));
  // And the overlay was asked more than once.
  std::size_t asked = 0;
  node.engine->punts().drain(100, [&](const Punt&) { ++asked; });
  EXPECT_GT(asked, 5u);
}

TEST(Engine, TellsWhatItRunsWith) {
  UdpNode node(conf::PollMode::kBusy);
  EXPECT_EQ(node.engine->poll_mode(), "busy");
  EXPECT_FALSE(node.engine->aead_name().empty());
  EXPECT_NE(node.engine->suites() & (1u << static_cast<unsigned>(AeadSuite::kChaCha20Poly1305)),
            0u);
}

// The first processor on which this program may run.
unsigned first_cpu() {
  cpu_set_t all;
  CPU_ZERO(&all);
  EXPECT_EQ(sched_getaffinity(0, sizeof all, &all), 0);
  unsigned cpu = 0;
  while (cpu < CPU_SETSIZE && !CPU_ISSET(cpu, &all))
    ++cpu;
  return cpu;
}

// "1,3" or "0-1": where the thread of that name may run, as the kernel writes it.
std::string cpus_of(const std::string& thread) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream status(entry.path() / "status");
    std::string name;
    std::string line;
    while (std::getline(status, line)) {
      if (line.starts_with("Name:\t")) name = line.substr(6);
      if (name == thread && line.starts_with("Cpus_allowed_list:\t")) return line.substr(19);
    }
  }
  return "no such thread";
}

TEST(Engine, RunsItsLcoreWhereItIsToldAndNothingElseThere) {
  start_eal_for({});
  const std::string before = cpus_of("test_engine");
  EngineSettings settings = small(conf::PollMode::kAdaptive);
  settings.cpus = {first_cpu()};
  Engine engine(settings, std::make_unique<MemoryHostPort>(), std::make_unique<MemoryWirePort>());
  engine.start();
  EXPECT_EQ(cpus_of("ipop-lcore1"), std::to_string(settings.cpus.front()));
  EXPECT_EQ(cpus_of("test_engine"), before);
}

TEST(Engine, DoesNotStartWhereItMayNotRun) {
  start_eal_for({});
  for (const std::uint32_t cpu : {1023u, 1024u}) {
    EngineSettings settings = small(conf::PollMode::kAdaptive);
    settings.cpus = {cpu};
    Engine engine(settings, std::make_unique<MemoryHostPort>(), std::make_unique<MemoryWirePort>());
    try {
      engine.start();
      FAIL() << "no machine that tests this has so many processors";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(std::string(error.what()),
                "ipop-lcore1 does not start: engine.cpus: it may not run on processor " +
                    std::to_string(cpu) + ": Invalid argument");
    }
  }
}

TEST(Engine, LeavesNothingWhenItCannotBeMade) {
  start_eal_for({});
  EngineSettings settings = small(conf::PollMode::kBusy);
  settings.pool.packets = 10'000'000;
  EXPECT_THROW(
      Engine(settings, std::make_unique<MemoryHostPort>(), std::make_unique<MemoryWirePort>()),
      std::runtime_error);
  UdpNode node(conf::PollMode::kBusy);
  node.engine->start();
}

}  // namespace
}  // namespace ipop::engine
