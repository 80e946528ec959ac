#include "app/hardening/system_call_filter.hpp"

#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <span>

namespace ipop::app::hardening {
namespace {

// LeakSanitizer stops the threads of its own process by ptrace, from a task that it makes.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define IPOP_LEAK_CHECK 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(IPOP_LEAK_CHECK)
constexpr bool kLeakCheck = true;
#else
constexpr bool kLeakCheck = false;
#endif

// By name, because not every processor has each of them.
constexpr std::array kRefused{
    // Other programs: to run them, to end them, to read their memory or their files.
    "execve", "execveat", "fork", "vfork", "kill", "tkill", "rt_sigqueueinfo", "pidfd_open",
    "pidfd_send_signal", "pidfd_getfd", "process_vm_readv", "process_vm_writev", "process_madvise",
    "process_mrelease", "kcmp",
    // What the machine is made of.
    "mount", "umount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick",
    "open_tree", "move_mount", "mount_setattr", "init_module", "finit_module", "delete_module",
    "kexec_load", "kexec_file_load", "reboot", "swapon", "swapoff", "acct", "quotactl",
    "quotactl_fd", "mknod", "mknodat", "sethostname", "setdomainname", "settimeofday",
    "clock_settime", "clock_adjtime", "adjtimex", "syslog", "vhangup", "ioperm", "iopl",
    // Other users, other namespaces, other kinds of process.
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups", "setfsuid",
    "setfsgid", "unshare", "setns", "personality", "modify_ldt",
    // Files by other ways than their names.
    "name_to_handle_at", "open_by_handle_at", "fanotify_init", "fanotify_mark",
    // Large parts of the kernel that we have no use for.
    "add_key", "request_key", "keyctl", "userfaultfd", "perf_event_open", "lookup_dcookie",
    "io_uring_setup", "io_uring_enter", "io_uring_register", "io_setup", "io_submit",
    "memfd_secret", "uselib", "nfsservctl", "_sysctl", "sysfs", "ustat", "move_pages",
    "migrate_pages", "vmsplice"};

// Of the families of sockets, those that are left. Packet and XDP sockets of a wire are open by
// now.
constexpr std::array<unsigned, 4> kFamilies{AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};

constexpr unsigned kNamespaces = CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC |
                                 CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;

class Filter {
 public:
  Filter() : context_(seccomp_init(SCMP_ACT_ALLOW), seccomp_release) {}

  void refuse(const char* name, int error = EPERM) { add(name, error, {}); }
  // Only with this argument.
  void refuse(const char* name, const scmp_arg_cmp& when, int error = EPERM) {
    add(name, error, {&when, 1});
  }

  [[nodiscard]] Result<void> install() {
    if (!context_) return fail("libseccomp has no memory");
    if (failed_ != 0) return fail_errno("a system call cannot be filtered", failed_);
    // A way around the filter, by another way into the kernel, is an attack and nothing else.
    set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    set(SCMP_FLTATR_CTL_LOG, 1);
    set(SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (const int error = seccomp_attr_set(context_.get(), SCMP_FLTATR_CTL_TSYNC, 1); error != 0)
      return fail_errno("the kernel filters one thread at a time", -error);
    if (const int error = seccomp_load(context_.get()); error != 0)
      return fail_errno("the kernel takes no filter", -error);
    return {};
  }

 private:
  void add(const char* name, int error, std::span<const scmp_arg_cmp> when) {
    const int number = seccomp_syscall_resolve_name(name);
    // Older than this library's knowledge of it, or of another kind of processor.
    if (!context_ || number == __NR_SCMP_ERROR) return;
    const int result =
        seccomp_rule_add_array(context_.get(), SCMP_ACT_ERRNO(static_cast<unsigned>(error)), number,
                               static_cast<unsigned>(when.size()), when.data());
    // Negative numbers stand for calls that this processor does not have.
    if (result != 0 && number >= 0) failed_ = -result;
  }
  // Those that an older kernel lacks are no reason to go without a filter.
  void set(scmp_filter_attr attribute, std::uint32_t value) {
    static_cast<void>(seccomp_attr_set(context_.get(), attribute, value));
  }

  std::unique_ptr<void, decltype(&seccomp_release)> context_;
  int failed_ = 0;
};

scmp_arg_cmp has_bits(unsigned argument, std::uint64_t bits) {
  return {.arg = argument, .op = SCMP_CMP_MASKED_EQ, .datum_a = bits, .datum_b = bits};
}

scmp_arg_cmp is(unsigned argument, scmp_compare op, std::uint64_t value) {
  return {.arg = argument, .op = op, .datum_a = value, .datum_b = 0};
}

void refuse_families(Filter& filter) {
  for (unsigned family = 0; family < AF_MAX; ++family) {
    if (std::ranges::find(kFamilies, family) == kFamilies.end())
      filter.refuse("socket", is(0, SCMP_CMP_EQ, family), EAFNOSUPPORT);
  }
  filter.refuse("socket", is(0, SCMP_CMP_GE, AF_MAX), EAFNOSUPPORT);
}

// Threads, and nothing else that clone() makes.
void refuse_processes(Filter& filter) {
  for (unsigned bit = 1; bit != 0; bit <<= 1)
    if ((kNamespaces & bit) != 0) filter.refuse("clone", has_bits(0, bit));
  // A filter cannot read what this one points to; the C library then makes threads by clone().
  filter.refuse("clone3", ENOSYS);
  if (kLeakCheck) return;
  filter.refuse("ptrace");
  filter.refuse("clone",
                {.arg = 0, .op = SCMP_CMP_MASKED_EQ, .datum_a = CLONE_THREAD, .datum_b = 0});
}

// Memory is written or executed: what an attacker writes does not run.
void refuse_new_code(Filter& filter) {
  filter.refuse("mmap", has_bits(2, PROT_WRITE | PROT_EXEC));
  filter.refuse("mmap2", has_bits(2, PROT_WRITE | PROT_EXEC));
  filter.refuse("mprotect", has_bits(2, PROT_EXEC));
  filter.refuse("pkey_mprotect", has_bits(2, PROT_EXEC));
  filter.refuse("shmat");
}

}  // namespace

Result<void> refuse_system_calls(FilterExceptions exceptions) {
  Filter filter;
  for (const char* const name : kRefused)
    filter.refuse(name);
  if (!exceptions.bpf) filter.refuse("bpf");
  // Signals go to threads of our own.
  filter.refuse("tgkill", is(0, SCMP_CMP_NE, static_cast<std::uint64_t>(::getpid())));
  refuse_processes(filter);
  refuse_families(filter);
  refuse_new_code(filter);
  return filter.install();
}

}  // namespace ipop::app::hardening
