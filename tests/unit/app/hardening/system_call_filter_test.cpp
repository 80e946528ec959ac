#include "app/hardening/system_call_filter.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/keyctl.h>
#include <netdb.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "tests/unit/app/hardening/in_a_child.hpp"

namespace ipop::app::hardening {
namespace {

constexpr int kNoFilter = 254;

struct Call {
  const char* description;
  long number;
  std::array<long, 3> arguments{};
  int error = EPERM;
};

// With arguments that do no harm, should they get through; without the filter root gets another
// error, or none.
const std::vector<Call> kRefused{
    {"runs a program", SYS_execve},
    {"runs an open file", SYS_execveat, {-1}},
    {"sends a signal to another process", SYS_kill, {1, 0}},
    {"sends a signal to another's thread", SYS_tgkill, {1, 1, 0}},
    {"reads another process's memory", SYS_process_vm_readv, {1}},
    {"compares processes", SYS_kcmp, {0, 0, 99}},
    {"mounts", SYS_mount},
    {"mounts by the new way", SYS_fsopen},
    {"changes the root", SYS_pivot_root},
    {"loads a module", SYS_finit_module, {-1}},
    {"changes the kernel", SYS_kexec_file_load, {-1, -1}},
    {"swaps", SYS_swapon},
    {"enters a namespace", SYS_setns, {-1}},
    {"makes a namespace", SYS_unshare, {0}},
    {"makes a namespace with a task", SYS_clone, {CLONE_NEWUSER | CLONE_THREAD}},
    {"becomes another user", SYS_setresuid, {-1, -1, -1}},
    {"asks for keys", SYS_keyctl, {KEYCTL_GET_KEYRING_ID, -3, 0}},
    {"handles page faults", SYS_userfaultfd, {-1}},
    {"measures the processor", SYS_perf_event_open},
    {"gives the kernel a program", SYS_bpf},
    {"makes a ring of orders", SYS_io_uring_setup},
    {"opens by a handle", SYS_open_by_handle_at, {-1}},
    {"writes the clock", SYS_clock_settime, {-1}},
    {"maps memory that is written and executed",
     SYS_mmap,
     {0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC}},
    {"makes memory executable", SYS_mprotect, {0, 4096, PROT_READ | PROT_EXEC}},
    {"makes a packet socket", SYS_socket, {AF_PACKET, SOCK_RAW}, EAFNOSUPPORT},
    {"makes a task by the new way", SYS_clone3, {0, 0}, ENOSYS},
};

int error_of(const Call& call) {
  const auto [a, b, c] = call.arguments;
  return ::syscall(call.number, a, b, c, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == -1 ? errno : 0;
}

TEST(SystemCallFilter, RefusesWhatTheDaemonNeverDoes) {
  for (const Call& call : kRefused) {
    EXPECT_EQ(in_a_child([&] { return refuse_system_calls({}) ? error_of(call) : kNoFilter; }),
              call.error)
        << "a process that " << call.description;
    // Root proves that it is the filter.
    if (::geteuid() == 0) {
      EXPECT_NE(in_a_child([&] { return error_of(call); }), call.error) << call.description;
    }
  }
}

TEST(SystemCallFilter, CoversThreadsThatWereThereBefore) {
  EXPECT_EQ(in_a_child([] {
              std::binary_semaphore filtered(0);
              int error = 0;
              std::thread older([&] {
                filtered.acquire();
                error = ::unshare(0) == -1 ? errno : 0;
              });
              const bool ok = refuse_system_calls({}).has_value();
              filtered.release();
              older.join();
              return ok ? error : kNoFilter;
            }),
            EPERM);
}

TEST(SystemCallFilter, CannotBeTakenOffByAnotherOne) {
  EXPECT_EQ(in_a_child([] {
              if (!refuse_system_calls({}) || !refuse_system_calls({.bpf = true})) return kNoFilter;
              return error_of({"bpf", SYS_bpf});
            }),
            EPERM);
}

TEST(SystemCallFilter, LeavesBpfToTheWireThatNeedsIt) {
  EXPECT_NE(in_a_child([] {
              return refuse_system_calls({.bpf = true}) ? error_of({"bpf", SYS_bpf}) : EPERM;
            }),
            EPERM);
}

// What the daemon does all the time; 0 is good, and otherwise the number of what failed.
int go_on() {
  int ran = 0;
  std::thread([&] { ran = 1; }).join();
  if (ran != 1) return 1;
  for (const int family : {AF_UNIX, AF_INET, AF_NETLINK})
    if (::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0) < 0) return 2;
  if (::mmap(nullptr, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
      MAP_FAILED) {
    return 3;
  }
  const addrinfo numeric{.ai_flags = AI_NUMERICHOST};
  addrinfo* found = nullptr;
  if (::getaddrinfo("192.0.2.1", "4545", &numeric, &found) != 0) return 4;
  ::freeaddrinfo(found);
  // Modules of the C library are loaded at this moment: memory that is executed, and not written.
  const addrinfo by_name{.ai_family = AF_INET};
  if (::getaddrinfo("localhost", nullptr, &by_name, &found) != 0) return 5;
  ::freeaddrinfo(found);
  return ::pthread_kill(::pthread_self(), 0) == 0 ? 0 : 6;
}

TEST(SystemCallFilter, LetsTheDaemonGoOn) {
  EXPECT_EQ(in_a_child([] { return refuse_system_calls({}) ? go_on() : kNoFilter; }), 0);
}

}  // namespace
}  // namespace ipop::app::hardening
