// Creates the tap behind `tapipop`: a queue for each lcore, a virtio-net header before each frame,
// all offloads that the kernel has.
// Start-up only. It knows nothing of addresses and routes (host_link.hpp).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace ipop::kni {

struct Tap {
  // A queue each, non-blocking; the interface lives as long as one is open. The kernel chooses the
  // queue by a frame's flow: the one by which that flow's answers came, if any did.
  std::vector<Fd> queues;
  bool tcp_segments = false;  // frames may be TCP super-packets, both ways
  bool udp_segments = false;  // and UDP super-packets (Linux 6.2)
};

// A new tap called `name`, with so many queues; at least one.
// Before each frame stands a header as in vnet_header.hpp.
// A persistent leftover of that name that nobody holds is replaced, so that nothing of its former
// settings stays. Errors say what to do: no /dev/net/tun, no right to it, the name is held by
// another process or is an interface of another kind.
[[nodiscard]] Result<Tap> create_tap(const std::string& name, std::size_t queues = 1);

}  // namespace ipop::kni
