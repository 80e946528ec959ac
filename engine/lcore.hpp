// The thread of one lcore: turns its state for ever, and sleeps when there is nothing to do. Made,
// started and stopped by the start-up thread.
#pragma once

#include <rte_rcu_qsbr.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>

#include "base/fd.hpp"
#include "conf/config.hpp"
#include "engine/lcore_state.hpp"

namespace ipop::engine {

struct LcoreSettings {
  unsigned number = 1;  // of its name, ipop-lcore1; RCU knows it as number - 1
  std::uint32_t cpu = conf::kAnyCpu;
  conf::PollMode poll = conf::PollMode::kAdaptive;
  // Adaptive: how long it polls in vain before it sleeps. Polling for longer takes the core away
  // from those who would give it work (perf/netns: a ping takes 0.10 ms with 50 µs and 0.13 with
  // 200; without yielding 0.16 and 0.44).
  Duration patience = std::chrono::microseconds(50);
};

class Lcore {
 public:
  // All outlive this. Throws std::runtime_error.
  Lcore(const LcoreSettings& settings, LcoreState& state, const HostPort& host, WirePort& wire,
        Bell& bell, rte_rcu_qsbr* qsbr);
  ~Lcore() { stop(); }
  Lcore(const Lcore&) = delete;
  Lcore& operator=(const Lcore&) = delete;

  // Returns when the thread is ready; throws std::runtime_error if it cannot be.
  void start();
  // Joins it; does nothing if it does not run. The first says so and does not wait.
  void ask_to_stop() noexcept;
  void stop() noexcept;

  // How often it has gone to sleep.
  [[nodiscard]] std::uint64_t sleeps() const noexcept { return sleeps_.get(); }

 private:
  [[nodiscard]] std::string name() const { return "ipop-lcore" + std::to_string(settings_.number); }
  // The calling thread, to its processor; the error, or an empty string.
  [[nodiscard]] std::string pin() const;
  [[nodiscard]] unsigned rcu_id() const noexcept { return settings_.number - 1; }
  void watch(int fd);
  void run() noexcept;
  // Under bulk load: lets work gather, so that a waking up serves several frames (one TCP stream
  // gains a tenth over going to sleep at once). Far below what a full queue holds.
  static constexpr Duration kRest = std::chrono::microseconds(30);
  // For a wire that cannot wake anybody.
  static constexpr Duration kShortestNap = std::chrono::microseconds(50);
  void rest() noexcept;
  // Each time in a row twice as long, where the wire has to be looked at now and then. False if
  // nothing woke it.
  [[nodiscard]] bool sleep() noexcept;
  // `signalled`: the bell was rung.
  [[nodiscard]] bool wait(Duration longest, bool& signalled) noexcept;

  const LcoreSettings settings_;
  LcoreState& state_;
  WirePort& wire_;
  Bell& bell_;
  rte_rcu_qsbr* qsbr_;
  Fd epoll_;
  OwnedCounter sleeps_;
  Duration nap_ = kShortestNap;
  std::atomic<bool> stopping_{false};  // lcore: r, start-up thread: w
  std::thread thread_;
};

}  // namespace ipop::engine
