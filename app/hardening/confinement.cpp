#include "app/hardening/confinement.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <string>
#include <system_error>

#include "app/hardening/every_thread.hpp"
#include "base/log.hpp"

namespace ipop::app::hardening {
namespace {

constexpr std::uint64_t kFilterMode = 2;  // SECCOMP_MODE_FILTER

int keep_in_this_thread(std::uint64_t keep) noexcept {
  return keep_capabilities(keep);
}

// Root owned all files before; now it is a user like others.
void warn_if_unreachable(const std::filesystem::path& file, int mode) {
  if (::faccessat(AT_FDCWD, file.c_str(), mode, AT_EACCESS) == 0) return;
  log::warning("{} is out of reach from now on ({}): give it to the user that ipopd runs as",
               file.string(), std::generic_category().message(errno));
}

}  // namespace

Confines confines_for(const conf::Wire& wire, bool physical_addresses) {
  // Routes and buffers of sockets; keys, of which new ones come with every session.
  Confines confines{.keep = capability(CAP_NET_ADMIN) | capability(CAP_IPC_LOCK), .exceptions = {}};
  if (wire.backend != conf::WireBackend::kDpdk) return confines;
  if (wire.device.starts_with("net_af_xdp")) {
    confines.keep |= capability(CAP_BPF);
    confines.exceptions.bpf = true;
  }
  // To learn where memory is that DPDK takes while running.
  if (physical_addresses) confines.keep |= capability(CAP_SYS_ADMIN);
  return confines;
}

void keep_memory_private() noexcept {
  constexpr rlimit none{.rlim_cur = 0, .rlim_max = 0};
  // None of these can fail with these arguments; hardening_status() would show it.
  static_cast<void>(::setrlimit(RLIMIT_CORE, &none));
  static_cast<void>(::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0));
  static_cast<void>(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
}

void confine(const Confines& confines, const std::filesystem::path& config,
             const std::filesystem::path& state) {
  if (const unsigned left = run_in_every_thread(keep_in_this_thread, confines.keep); left != 0)
    log::warning("{} threads of ipopd keep all their capabilities", left);
  if (const auto refused = refuse_system_calls(confines.exceptions); !refused)
    log::warning("system calls are not filtered: {}", refused.error().message);
  warn_if_unreachable(config, R_OK);
  warn_if_unreachable(state, W_OK | X_OK);
}

overlay::HardeningStatus hardening_status(const std::filesystem::path& process) {
  Capabilities capabilities = 0;
  overlay::HardeningStatus status{.capabilities = {},
                                  .no_new_privileges = true,
                                  .system_calls_filtered = true,
                                  .memory_readable = ::prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0};
  std::error_code error;
  for (const auto& thread : std::filesystem::directory_iterator(process / "task", error)) {
    std::ifstream file(thread.path() / "status");
    for (std::string key, value; file >> key && std::getline(file, value);) {
      if (key == "CapPrm:") capabilities |= std::strtoull(value.c_str(), nullptr, 16);
      const auto number = std::strtoull(value.c_str(), nullptr, 10);
      if (key == "NoNewPrivs:") status.no_new_privileges &= number == 1;
      if (key == "Seccomp:") status.system_calls_filtered &= number == kFilterMode;
    }
  }
  status.capabilities = names_of(capabilities);
  return status;
}

}  // namespace ipop::app::hardening
