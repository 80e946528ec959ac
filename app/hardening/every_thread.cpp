#include "app/hardening/every_thread.hpp"

#include <semaphore.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

namespace ipop::app::hardening {
namespace {

constexpr int kPatienceS = 1;
constexpr int kMomentsForNewThreads = 100;

// What the handler works with; a late one finds no order and does nothing. Written by the caller
// before it signals, and taken by one handler at a time.
std::atomic<ThreadAction> order{nullptr};
std::atomic<std::uint64_t> order_argument{0};
std::atomic<int> outcome{0};
sem_t done;

int signal_number() {
  return SIGRTMAX - 1;
}

void on_signal(int) {
  const int saved = errno;
  if (const ThreadAction action = order.exchange(nullptr); action != nullptr) {
    outcome = action(order_argument);
    sem_post(&done);
  }
  errno = saved;
}

std::set<pid_t> threads() {
  std::set<pid_t> found;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", error))
    found.insert(static_cast<pid_t>(std::strtol(entry.path().filename().c_str(), nullptr, 10)));
  return found;
}

bool blocks_signal(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/status");
  std::string word;
  while (file >> word) {
    if (word != "SigBlk:") continue;
    file >> word;
    return (std::strtoull(word.c_str(), nullptr, 16) >> (signal_number() - 1) & 1) != 0;
  }
  return false;
}

// A thread that blocks signals for good, as ThreadSanitizer's own does, would leave this one
// pending. One that has just been made blocks them for a moment.
bool waits_for_signals(pid_t thread) {
  constexpr timespec kMoment{.tv_sec = 0, .tv_nsec = 1'000'000};
  for (int tries = 0; blocks_signal(thread); ++tries) {
    if (tries == kMomentsForNewThreads) return false;
    ::nanosleep(&kMoment, nullptr);
  }
  return true;
}

bool run_in(pid_t thread, ThreadAction action) {
  outcome = 0;
  order = action;
  if (::syscall(SYS_tgkill, ::getpid(), thread, signal_number()) != 0) {
    order = nullptr;
    return errno == ESRCH;  // it has ended meanwhile
  }
  timespec deadline{};
  ::clock_gettime(CLOCK_REALTIME, &deadline);
  deadline.tv_sec += kPatienceS;
  while (::sem_timedwait(&done, &deadline) != 0) {
    if (errno == EINTR) continue;
    if (order.exchange(nullptr) != nullptr) return false;
    // It has just begun, so it will end.
    deadline.tv_sec += kPatienceS;
  }
  return outcome == 0;
}

}  // namespace

unsigned run_in_every_thread(ThreadAction action, std::uint64_t argument) {
  order_argument = argument;
  unsigned failed = action(argument) == 0 ? 0 : 1;
  ::sem_init(&done, 0, 0);
  struct sigaction ours {};
  ours.sa_handler = on_signal;
  ours.sa_flags = SA_RESTART;
  ::sigaction(signal_number(), &ours, nullptr);
  std::set<pid_t> visited{::gettid()};
  // A thread that nobody has visited yet may have made another one meanwhile.
  for (bool found = true; found;) {
    found = false;
    for (const pid_t thread : threads()) {
      if (!visited.insert(thread).second) continue;
      found = true;
      if (!waits_for_signals(thread) || !run_in(thread, action)) ++failed;
    }
  }
  // Not as it was before: to a thread that was too slow, that would be its end.
  ::signal(signal_number(), SIG_IGN);
  return failed;
}

}  // namespace ipop::app::hardening
