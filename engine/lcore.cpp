#include "engine/lcore.hpp"

#include <pthread.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <future>
#include <stdexcept>

namespace ipop::engine {
namespace {

// Signals are the start-up thread's business: a new thread starts with all of them blocked.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

}  // namespace

Lcore::Lcore(const LcoreSettings& settings, LcoreState& state, const HostPort& host, WirePort& wire,
             Bell& bell, rte_rcu_qsbr* qsbr)
    : settings_(settings),
      state_(state),
      wire_(wire),
      bell_(bell),
      qsbr_(qsbr),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  int fds[kMaxWaitFds];
  watch(bell.fd());
  for (std::size_t i = 0, count = host.wait_fds(fds); i < count; ++i)
    watch(fds[i]);
  for (std::size_t i = 0, count = wire.wait_fds(fds); i < count; ++i)
    watch(fds[i]);
}

void Lcore::watch(int fd) {
  epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
  if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) {
    throw std::runtime_error(name() + ": cannot wait for a port: " + std::strerror(errno));
  }
}

void Lcore::start() {
  std::promise<std::string> ready;
  stopping_.store(false, std::memory_order_relaxed);
  {
    const SignalsBlocked blocked;
    thread_ = std::thread([this, &ready] {
      pthread_setname_np(pthread_self(), name().c_str());
      if (std::string failure = pin(); !failure.empty()) {
        ready.set_value(std::move(failure));
        return;
      }
      if (rte_thread_register() != 0) {
        ready.set_value(rte_strerror(rte_errno));
        return;
      }
      if (rte_rcu_qsbr_thread_register(qsbr_, rcu_id()) != 0) {
        ready.set_value("no place left in RCU");
        rte_thread_unregister();
        return;
      }
      ready.set_value({});
      run();
      rte_rcu_qsbr_thread_unregister(qsbr_, rcu_id());
      rte_thread_unregister();
    });
  }
  if (const std::string failure = ready.get_future().get(); !failure.empty()) {
    thread_.join();
    throw std::runtime_error(name() + " does not start: " + failure);
  }
}

std::string Lcore::pin() const {
  if (settings_.cpu == conf::kAnyCpu) return {};
  cpu_set_t only;
  CPU_ZERO(&only);
  if (settings_.cpu < CPU_SETSIZE) CPU_SET(settings_.cpu, &only);
  const int error = pthread_setaffinity_np(pthread_self(), sizeof only, &only);
  if (error == 0) return {};
  return "engine.cpus: it may not run on processor " + std::to_string(settings_.cpu) + ": " +
         std::strerror(error);
}

void Lcore::ask_to_stop() noexcept {
  stopping_.store(true, std::memory_order_release);
  bell_.wake();
}

void Lcore::stop() noexcept {
  if (!thread_.joinable()) return;
  ask_to_stop();
  thread_.join();
}

void Lcore::run() noexcept {
  rte_rcu_qsbr_thread_online(qsbr_, rcu_id());
  // Of its own sleep, too: the kernel would round kRest up by 50 µs.
  (void)prctl(PR_SET_TIMERSLACK, 1);
  Instant worked = read_monotonic();
  bool may_rest = false;
  while (!stopping_.load(std::memory_order_acquire)) {
    const Instant now = read_monotonic();
    const bool idle = state_.turn(now) == 0;
    // No pointer into the table is held across turns.
    rte_rcu_qsbr_quiescent(qsbr_, rcu_id());
    if (!idle) {
      worked = now;
      nap_ = kShortestNap;
      may_rest = state_.had_bulk() && settings_.poll == conf::PollMode::kAdaptive;
    } else if (may_rest) {
      may_rest = false;
      rest();
    } else if (settings_.poll == conf::PollMode::kBusy || now - worked < settings_.patience) {
      // Whoever else waits for this core works while we would look in vain: often the very program
      // whose packets we wait for.
      sched_yield();
    } else if (sleep()) {
      worked = read_monotonic();
    }
  }
  state_.finish(read_monotonic());
  rte_rcu_qsbr_thread_offline(qsbr_, rcu_id());
}

void Lcore::rest() noexcept {
  const timespec time{.tv_nsec = std::chrono::nanoseconds(kRest).count()};
  (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
}

bool Lcore::sleep() noexcept {
  bell_.prepare_sleep();
  if (state_.has_waiting()) {
    bell_.end_sleep(false);
    return true;
  }
  bool signalled = false;
  bool woken = true;
  if (wire_.arm()) {
    // Staged packets expire, and the overlay is asked again for them.
    Duration longest = wire_.longest_sleep();
    if (longest != Duration::max()) {
      longest = std::min(longest, nap_);
      nap_ = longest * 2;
    }
    if (state_.has_staged()) longest = std::min<Duration>(longest, Staging::kAskEvery);
    sleeps_.add(1);
    rte_rcu_qsbr_thread_offline(qsbr_, rcu_id());
    woken = wait(longest, signalled);
    rte_rcu_qsbr_thread_online(qsbr_, rcu_id());
  }
  wire_.disarm();
  bell_.end_sleep(signalled);
  state_.tick(read_monotonic());
  return woken;
}

bool Lcore::wait(Duration longest, bool& signalled) noexcept {
  epoll_event events[2 * kMaxWaitFds + 1];
  const auto seconds = std::chrono::floor<std::chrono::seconds>(longest);
  const timespec limit{.tv_sec = seconds.count(), .tv_nsec = (longest - seconds).count()};
  const int count = epoll_pwait2(epoll_.get(), events, std::size(events),
                                 longest == Duration::max() ? nullptr : &limit, nullptr);
  for (int i = 0; i < count; ++i)
    signalled |= events[i].data.fd == bell_.fd();
  return count > 0;
}

}  // namespace ipop::engine
