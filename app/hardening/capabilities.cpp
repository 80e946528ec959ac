#include "app/hardening/capabilities.hpp"

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <string_view>

namespace ipop::app::hardening {
namespace {

constexpr unsigned kBits = 64;
// linux/capability.h, in its order.
constexpr std::array<std::string_view, 41> kNames{"chown",
                                                  "dac_override",
                                                  "dac_read_search",
                                                  "fowner",
                                                  "fsetid",
                                                  "kill",
                                                  "setgid",
                                                  "setuid",
                                                  "setpcap",
                                                  "linux_immutable",
                                                  "net_bind_service",
                                                  "net_broadcast",
                                                  "net_admin",
                                                  "net_raw",
                                                  "ipc_lock",
                                                  "ipc_owner",
                                                  "sys_module",
                                                  "sys_rawio",
                                                  "sys_chroot",
                                                  "sys_ptrace",
                                                  "sys_pacct",
                                                  "sys_admin",
                                                  "sys_boot",
                                                  "sys_nice",
                                                  "sys_resource",
                                                  "sys_time",
                                                  "sys_tty_config",
                                                  "mknod",
                                                  "lease",
                                                  "audit_write",
                                                  "audit_control",
                                                  "setfcap",
                                                  "mac_override",
                                                  "mac_admin",
                                                  "syslog",
                                                  "wake_alarm",
                                                  "block_suspend",
                                                  "audit_read",
                                                  "perfmon",
                                                  "bpf",
                                                  "checkpoint_restore"};

}  // namespace

int keep_capabilities(Capabilities keep) noexcept {
  // The bounding set first, because that needs CAP_SETPCAP. Who lacks it, as under systemd's unit,
  // has a bounding set of somebody's choice.
  for (unsigned each = 0; each < kBits; ++each) {
    if ((keep >> each & 1) == 0 && ::prctl(PR_CAPBSET_READ, each, 0, 0, 0) == 1)
      static_cast<void>(::prctl(PR_CAPBSET_DROP, each, 0, 0, 0));
  }
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> words{};
  if (::syscall(SYS_capget, &header, words.data()) != 0) return errno;
  for (std::size_t i = 0; i < words.size(); ++i) {
    words[i].permitted &= static_cast<std::uint32_t>(keep >> (32 * i));
    words[i].effective = words[i].permitted;
    words[i].inheritable = 0;
  }
  return ::syscall(SYS_capset, &header, words.data()) == 0 ? 0 : errno;
}

std::vector<std::string> names_of(Capabilities set) {
  std::vector<std::string> names;
  for (; set != 0; set &= set - 1) {
    const auto number = static_cast<unsigned>(std::countr_zero(set));
    names.push_back(number < kNames.size() ? std::string(kNames.at(number))
                                           : std::to_string(number));
  }
  return names;
}

}  // namespace ipop::app::hardening
