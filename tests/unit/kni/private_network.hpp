// A test in a network namespace of its own: nothing of it is seen outside, and nothing stays.
// Also what such a test asks its kernel, each by another way than the code under test.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "base/fd.hpp"
#include "base/ip.hpp"
#include "base/mac_address.hpp"

namespace ipop::kni::testing {

class PrivateNetwork : public ::testing::Test {
 protected:
  // Needs root, and fails without.
  void SetUp() override;
};

struct Interface {
  bool exists = false;
  bool up = false;
  int mtu = 0;
  int queue_length = 0;
  MacAddress mac;
};
[[nodiscard]] Interface look_at(const std::string& name);
// "192.168.10.10/24 fd00:10::10/64", sorted.
[[nodiscard]] std::string addresses_of(const std::string& name);
void set_up(const std::string& name, bool up);
void delete_interface(const std::string& name);
void write_file(const std::string& path, const std::string& text);

// A tun or tap made by hand: `flags` as for TUNSETIFF.
[[nodiscard]] Fd make_tun(const std::string& name, int flags, bool persistent = false);

// A UDP socket bound to `local`, non-blocking.
[[nodiscard]] Fd udp_socket(const Endpoint& local);
// Zero or errno.
[[nodiscard]] int send_to(const Fd& socket, const Endpoint& to, const std::string& text);
// What arrives within two seconds; empty if nothing does.
[[nodiscard]] std::string receive(const Fd& socket, Endpoint* from = nullptr);

// True once `condition` is, and false after two seconds; waits on `fd` between two looks.
[[nodiscard]] bool eventually(int fd, short events, const std::function<bool()>& condition);

// Runs `action` in a child process and returns what it returns.
[[nodiscard]] std::string in_child(const std::function<std::string()>& action);

}  // namespace ipop::kni::testing
