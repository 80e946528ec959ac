#include "perf/pps/lcore_scaling.hpp"

#include <pthread.h>
#include <rte_lcore.h>
#include <sched.h>

#include <algorithm>
#include <barrier>
#include <exception>
#include <memory>
#include <stdexcept>
#include <thread>
#include <utility>

#include "engine/lcore_state.hpp"
#include "engine/mempool.hpp"
#include "perf/pps/counting_host_port.hpp"
#include "perf/pps/host_frames.hpp"
#include "perf/pps/memory_wire.hpp"

namespace ipop::perf {

using namespace ipop::engine;

namespace {

constexpr std::uint32_t kLcoreBatches = 21;
constexpr TableSizes kSizes{.peers = 64, .sessions = 64, .hosts = 64, .prefixes = 16};
const IpAddress kNear = IpAddress::v4(0x0a800001);
const IpAddress kFar = IpAddress::v4(0x0a000001);
const Endpoint kNearEndpoint{IpAddress::v4(0x64600001), 4545};
const Endpoint kFarEndpoint{IpAddress::v4(0x64400001), 4545};

void pin(unsigned cpu) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(cpu % std::max(1u, std::thread::hardware_concurrency()), &only);
  (void)pthread_setaffinity_np(pthread_self(), sizeof only, &only);
}

struct Own {
  explicit Own(rte_mempool* pool) : punts(pool), orders(pool, bell) {}
  CountingHostPort host;
  MemoryWire wire;
  Bell bell;
  PuntRing punts;
  InjectRing orders;
  std::unique_ptr<LcoreState> state;
};

// One end.
struct Node {
  explicit Node(unsigned lcores)
      : pool({.packets = 4096 * lcores - 1}), table(kSizes, lcores, make_aead_engine()) {
    std::vector<Bell*> bells;
    for (unsigned i = 0; i < lcores; ++i) {
      own.push_back(std::make_unique<Own>(pool.get()));
      bells.push_back(&own.back()->bell);
    }
    handover = std::make_unique<HandoverRings>(bells);
    for (unsigned i = 0; i < lcores; ++i) {
      Own& at = *own[i];
      at.state = std::make_unique<LcoreState>(LcoreState::Parts{.host = at.host,
                                                                .wire = at.wire.port(),
                                                                .pools = {pool.get(), pool.get()},
                                                                .table = table.reader(),
                                                                .punts = at.punts,
                                                                .orders = at.orders,
                                                                .share = {i, lcores},
                                                                .handover = {*handover, i}},
                                              make_aead_engine());
    }
  }
  [[nodiscard]] std::uint64_t handed_over() const {
    std::uint64_t sum = 0;
    for (const auto& each : own)
      sum += each->state->counters().handed_over.get();
    return sum;
  }

  Mempool pool;
  DpdkForwardingTable table;
  std::vector<std::unique_ptr<Own>> own;
  std::unique_ptr<HandoverRings> handover;
};

class Group {
 public:
  Group(const Workload& workload, unsigned lcores)
      : workload_(workload), lcores_(lcores), sender_(lcores), receiver_(lcores) {
    join();
  }

  // All lcores at the same time.
  void run_batch() {
    std::vector<std::thread> threads;
    std::barrier together(static_cast<std::ptrdiff_t>(lcores_));
    watches_.assign(lcores_, {});
    failures_.assign(lcores_, nullptr);
    for (unsigned i = 0; i < lcores_; ++i)
      threads.emplace_back([this, i, &together] { run(i, together); });
    for (std::thread& thread : threads)
      thread.join();
    for (const std::exception_ptr& failure : failures_)
      if (failure) std::rethrow_exception(failure);
    ++batches_;
    double encap = 0;
    double decap = 0;
    for (const auto& [sealing, opening] : watches_) {
      encap += sealing.rate();
      decap += opening.rate();
    }
    rates_.encap.push_back(encap);
    rates_.decap.push_back(decap);
  }
  [[nodiscard]] LcoreRates rates() const {
    // The first batch touches memory for the first time.
    return {{rates_.encap.begin() + 1, rates_.encap.end()},
            {rates_.decap.begin() + 1, rates_.decap.end()}};
  }
  void must_be_complete() const {
    const std::uint64_t each = std::uint64_t{batches_} * workload_.rounds() * workload_.packets();
    for (const auto& own : receiver_.own) {
      if (own->host.packets() != each) throw std::runtime_error("packets were lost on the way");
    }
    if (sender_.handed_over() + receiver_.handed_over() != 0) {
      throw std::runtime_error("packets were handed from one lcore to another");
    }
  }

 private:
  struct alignas(64) Rate {
    std::uint64_t cycles = 0;
    std::uint64_t packets = 0;
    template <typename Call>
    void time(std::uint32_t count, Call call) {
      const std::uint64_t begin = rte_rdtsc_precise();
      call();
      cycles += rte_rdtsc_precise() - begin;
      packets += count;
    }
    [[nodiscard]] double rate() const {
      return static_cast<double>(packets) * static_cast<double>(rte_get_tsc_hz()) /
             static_cast<double>(cycles);
    }
  };

  void join() {
    const auto key = Secret<32>::random();
    Node* const nodes[] = {&sender_, &receiver_};
    PeerIndex peers[2];
    ReceiverIndex locals[2];
    for (int n = 0; n < 2; ++n) {
      peers[n] = *nodes[n]->table.add_peer();
      locals[n] = *nodes[n]->table.reserve_session();
    }
    for (int n = 0; n < 2; ++n) {
      DpdkForwardingTable& table = nodes[n]->table;
      table.publish_session({.peer = peers[n],
                             .local = locals[n],
                             .remote = static_cast<std::uint32_t>(locals[1 - n]),
                             .suite = workload_.suite,
                             .partial_checksums = true,
                             .send_lanes = static_cast<std::uint8_t>(lcores_),
                             .receive_lanes = static_cast<std::uint8_t>(lcores_),
                             .send_key = key,
                             .receive_key = key,
                             .send_until = now_ + std::chrono::hours(1),
                             .receive_until = now_ + std::chrono::hours(1)});
      table.use_session(peers[n], locals[n]);
      table.set_path(peers[n], {n == 0 ? kFarEndpoint : kNearEndpoint, 1500});
      if (!table.add_route(Prefix::host(n == 0 ? kFar : kNear), peers[n])) {
        throw std::runtime_error("no route to the peer");
      }
    }
  }

  void run(unsigned i, std::barrier<>& together) {
    pin(i);
    const bool registered = rte_thread_register() == 0;
    together.arrive_and_wait();
    try {
      for (std::uint32_t round = 0; round < workload_.rounds(); ++round)
        turn(i);
    } catch (...) {
      failures_[i] = std::current_exception();
    }
    if (registered) rte_thread_unregister();
  }

  void turn(unsigned i) {
    rte_mbuf* burst[kBurst];
    Own& from = *sender_.own[i];
    Own& to = *receiver_.own[i];
    auto& [sealing, opening] = watches_[i];
    if (rte_pktmbuf_alloc_bulk(sender_.pool.get(), burst, kBurst) != 0) {
      throw std::runtime_error("no buffers left");
    }
    for (rte_mbuf* const frame : burst)
      write_udp_frame(frame, kNear, kFar, workload_.size);
    from.host.lay_in(burst);
    sealing.time(kBurst, [&] { from.state->turn(now_); });
    const std::uint16_t sealed = from.wire.take(burst);
    for (std::uint16_t n = 0; n < sealed; ++n)
      MemoryWire::address(burst[n], kNearEndpoint);
    to.wire.give({burst, sealed});
    opening.time(kBurst, [&] { to.state->turn(now_); });
    to.punts.drain(kBurst, [](const Punt&) {});
  }

  Workload workload_;
  unsigned lcores_;
  Instant now_{std::chrono::hours(1)};
  Node sender_;
  Node receiver_;
  std::vector<std::pair<Rate, Rate>> watches_;
  std::vector<std::exception_ptr> failures_;
  std::uint32_t batches_ = 0;
  LcoreRates rates_;
};

}  // namespace

std::vector<LcoreRates> compare_lcores(const Workload& workload, unsigned lcores) {
  Group one(workload, 1);
  Group several(workload, lcores);
  for (std::uint32_t batch = 0; batch < kLcoreBatches; ++batch) {
    one.run_batch();
    several.run_batch();
  }
  one.must_be_complete();
  several.must_be_complete();
  return {one.rates(), several.rates()};
}

}  // namespace ipop::perf
