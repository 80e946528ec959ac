// Opens one UDP socket of the wire. Start-up only.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>

#include "base/fd.hpp"
#include "base/ip.hpp"

namespace ipop::engine {

struct PortTaken : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Whether other sockets may have the same port: those that share it, too, among which the kernel
// distributes what comes, flow by flow.
enum class PortUse : std::uint8_t { kAlone, kShared };

// Bound to `at`; nothing if this machine lacks the address family. Throws std::runtime_error for
// anything else; PortTaken if another socket has the port.
[[nodiscard]] std::optional<Fd> open_udp_socket(const Endpoint& at, int buffer_bytes,
                                                PortUse use = PortUse::kAlone);

// Lets sockets that are opened from now on, as kShared, have its port, too. Throws
// std::runtime_error.
void share_port(const Fd& socket);

// Its port number, after the kernel chose one.
[[nodiscard]] std::uint16_t local_port(const Fd& socket);

}  // namespace ipop::engine
