#include "engine/port/lane_sockets.hpp"

#include <linux/filter.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "engine/api/types.hpp"
#include "engine/port/udp_messages.hpp"
#include "engine/port/udp_socket.hpp"

namespace ipop::engine {
namespace {

// A program for the kernel that keeps nothing of what comes.
void hear_nothing(const Fd& socket) {
  sock_filter keep_nothing{.code = BPF_RET | BPF_K, .jt = 0, .jf = 0, .k = 0};
  const sock_fprog program{.len = 1, .filter = &keep_nothing};
  if (setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0)
    throw std::runtime_error(std::string("UDP socket: filter: ") + std::strerror(errno));
}

}  // namespace

LaneSockets::LaneSockets(const std::vector<Endpoint>& bound, unsigned count, int buffer_bytes,
                         bool trains) {
  for (const Endpoint& at : bound) {
    const bool v4 = at.address.is_v4();
    for (unsigned i = 0; i < count; ++i) {
      auto fd = open_udp_socket({at.address, 0}, buffer_bytes);
      if (!fd) throw std::runtime_error("no socket for a lane at " + at.address.to_string());
      hear_nothing(*fd);
      const TrainSupport support = trains ? ask_for_trains(*fd) : TrainSupport{};
      UdpChannel channel{.fd = std::move(*fd), .v4 = v4, .segments = support.send};
      (v4 ? v4_ : v6_).push_back(std::move(channel));
    }
  }
}

UdpChannel* LaneSockets::find(std::uint16_t socket, bool v4) noexcept {
  std::vector<UdpChannel>& channels = v4 ? v4_ : v6_;
  const std::size_t which = socket - kLaneSockets - 1u;
  return which < channels.size() ? &channels[which] : nullptr;
}

}  // namespace ipop::engine
