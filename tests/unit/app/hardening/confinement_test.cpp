#include "app/hardening/confinement.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <semaphore>
#include <thread>

#include "app/hardening/every_thread.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/app/hardening/in_a_child.hpp"

namespace ipop::app::hardening {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> kept(const std::string& device, bool physical_addresses = false) {
  conf::Wire wire{.backend = conf::WireBackend::kDpdk, .device = device};
  return names_of(confines_for(wire, physical_addresses).keep);
}

TEST(Confines, KeepWhatTheWireNeedsAndNoMore) {
  EXPECT_THAT(names_of(confines_for({}, true).keep), ElementsAre("net_admin", "ipc_lock"));
  EXPECT_THAT(kept("net_af_packet0,iface=eth0"), ElementsAre("net_admin", "ipc_lock"));
  EXPECT_THAT(kept("net_af_xdp0,iface=eth0"), ElementsAre("net_admin", "ipc_lock", "bpf"));
  EXPECT_THAT(kept("0000:00:05.0"), ElementsAre("net_admin", "ipc_lock"));
  EXPECT_THAT(kept("0000:00:05.0", true), ElementsAre("net_admin", "ipc_lock", "sys_admin"));
}

TEST(Capabilities, HaveTheNamesOfTheManual) {
  EXPECT_THAT(names_of(0), ElementsAre());
  EXPECT_THAT(names_of(capability(CAP_CHOWN) | capability(CAP_CHECKPOINT_RESTORE)),
              ElementsAre("chown", "checkpoint_restore"));
  EXPECT_THAT(names_of(capability(63)), ElementsAre("63"));
}

constexpr int kNotConfined = 200;

// It has a thread of its own, which keeps everything, and holds signals back where it can.
constexpr bool kThreadSanitizer =
#if defined(__SANITIZE_THREAD__)
    true;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
    true;
#else
    false;
#endif
#else
    false;
#endif

// Whether no capability but these is left in the process; only root has some to lose.
int count_others(const overlay::HardeningStatus& status) {
  return static_cast<int>(std::ranges::count_if(status.capabilities, [](const std::string& name) {
    return name != "net_admin" && name != "ipc_lock";
  }));
}

TEST(Confinement, HoldsInThreadsThatWereThereBeforeAndInLaterOnes) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, who has something to give up";
  if (kThreadSanitizer) GTEST_SKIP() << "a thread of ThreadSanitizer's keeps everything";
  EXPECT_EQ(in_a_child([] {
              if (count_others(hardening_status()) == 0) return kNotConfined;
              std::binary_semaphore confined(0);
              std::thread older([&] { confined.acquire(); });
              keep_memory_private();
              confine(confines_for({}, false), "/", "/");
              int others = 0;
              bool filtered = false;
              std::thread([&] {
                const overlay::HardeningStatus status = hardening_status();
                others = count_others(status);
                filtered = status.system_calls_filtered && status.no_new_privileges;
              }).join();
              confined.release();
              older.join();
              return filtered ? others : kNotConfined;
            }),
            0);
}

TEST(Confinement, KeepsTheMemoryToItself) {
  EXPECT_EQ(in_a_child([] {
              if (!hardening_status().memory_readable) return 1;
              keep_memory_private();
              rlimit core{.rlim_cur = 1, .rlim_max = 1};
              if (::getrlimit(RLIMIT_CORE, &core) != 0 || core.rlim_max != 0) return 2;
              if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 3;
              return hardening_status().memory_readable ? 4 : 0;
            }),
            0);
}

// A process of two threads, as the kernel shows it.
class HardeningStatus : public ::testing::Test {
 protected:
  void thread(int number, const std::string& text) const {
    const auto directory = temporary_.path() / "task" / std::to_string(number);
    std::filesystem::create_directories(directory);
    std::ofstream(directory / "status") << text;
  }
  [[nodiscard]] overlay::HardeningStatus status() const {
    return hardening_status(temporary_.path());
  }

  TemporaryDirectory temporary_;
};

TEST_F(HardeningStatus, IsThatOfTheThreadThatMayDoMost) {
  thread(7, "Name:\tone two\nCapPrm:\t0000000000001000\nNoNewPrivs:\t1\nSeccomp:\t2\n");
  EXPECT_THAT(status().capabilities, ElementsAre("net_admin"));
  EXPECT_TRUE(status().no_new_privileges);
  EXPECT_TRUE(status().system_calls_filtered);
  thread(8, "Name:\tx\nCapPrm:\t0000000000200000\nNoNewPrivs:\t0\nSeccomp:\t0\n");
  EXPECT_THAT(status().capabilities, ElementsAre("net_admin", "sys_admin"));
  EXPECT_FALSE(status().no_new_privileges);
  EXPECT_FALSE(status().system_calls_filtered);
}

int fail_here(std::uint64_t) noexcept {
  return EPERM;
}

int remember_thread(std::uint64_t address) noexcept {
  auto* const visited = reinterpret_cast<std::atomic<pid_t>*>(address);
  if (::gettid() != ::getpid()) visited->store(::gettid());
  return 0;
}

TEST(EveryThread, IsVisited) {
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer holds signals back";
  EXPECT_EQ(in_a_child([] {
              std::atomic<pid_t> visited = 0;
              std::atomic<pid_t> expected = 0;
              std::binary_semaphore started(0);
              std::binary_semaphore over(0);
              std::thread other([&] {
                expected = ::gettid();
                started.release();
                over.acquire();
              });
              started.acquire();
              const auto failed =
                  run_in_every_thread(remember_thread, reinterpret_cast<std::uint64_t>(&visited));
              const bool reached = visited == expected;
              const auto unwilling = run_in_every_thread(fail_here, 0);
              over.release();
              other.join();
              // Sanitizers have threads of their own, which nobody reaches.
              return reached && failed + 2 <= unwilling ? 0 : 1;
            }),
            0);
}

TEST(EveryThread, IsCountedWhereItCannotBeReached) {
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer holds signals back";
  EXPECT_EQ(in_a_child([] {
              const auto before = run_in_every_thread(fail_here, 0);
              std::binary_semaphore started(0);
              std::binary_semaphore over(0);
              std::thread deaf([&] {
                sigset_t all;
                ::sigfillset(&all);
                ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
                started.release();
                over.acquire();
              });
              started.acquire();
              const auto after = run_in_every_thread(fail_here, 0);
              over.release();
              deaf.join();
              return static_cast<int>(after - before);
            }),
            1);
}

}  // namespace
}  // namespace ipop::app::hardening
