// Which of the sockets that share a UDP port gets a datagram: a program for the kernel, so that
// what is for the overlay waits apart from what members send. Start-up only; Linux 4.5.
#pragma once

#include "base/fd.hpp"

namespace ipop::engine {

// Sockets are numbered as they were bound. Data and relayed datagrams go to number 0, or with more
// than one of `data_sockets` to 0 and 2 upwards, each flow to one; all else goes to number 1. For
// all sockets with this one's port and address, now and later; a second call replaces the first.
// False if the kernel does not do it.
[[nodiscard]] bool choose_by_kind(const Fd& socket, bool v4, unsigned data_sockets) noexcept;

}  // namespace ipop::engine
