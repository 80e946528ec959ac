// The system calls that the daemon never makes, refused by the kernel from now on (seccomp), in
// every thread that there is and will be. Start-up thread only; it cannot be undone.
//
// What is refused is listed, and not what is allowed: drivers of DPDK, name service modules of the
// machine and later C libraries make calls that nobody here can list, and a daemon that fails after
// an upgrade protects nobody. A refused call fails with EPERM and is in the kernel's log (audit,
// type 1326), which names the call's number.
#pragma once

#include "base/error.hpp"

namespace ipop::app::hardening {

struct FilterExceptions {
  // net_af_xdp's maps, which are emptied when it closes.
  bool bpf = false;
};

[[nodiscard]] Result<void> refuse_system_calls(FilterExceptions exceptions);

}  // namespace ipop::app::hardening
