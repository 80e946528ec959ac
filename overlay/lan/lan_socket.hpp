// Carries datagrams to and from all nodes on the links of this host: IPv4 group 239.255.73.80 and
// IPv6 group ff02::4950:4f50, UDP port 4546, never beyond a router. Overlay thread.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace ipop::overlay {

class LanSocket {
 public:
  static constexpr std::uint16_t kPort = 4546;

  // `except`: the virtual interface, which is no link of ours. A machine without one of the
  // families does with the other; throws std::runtime_error if it can have neither.
  LanSocket(asio::io_context& io, std::string except, std::function<void(ByteView)> on_datagram);
  LanSocket(const LanSocket&) = delete;
  LanSocket& operator=(const LanSocket&) = delete;

  // By every link that is up and carries multicast. What does not go is lost.
  void send(ByteView datagram);
  // Listens on links that came, and forgets those that went.
  void look_again();
  // No more calls; io.run() is not kept by it.
  void stop();

 private:
  struct Family {
    bool v4 = false;
    asio::posix::stream_descriptor socket;
    std::vector<unsigned> joined;  // interface indices
  };

  void wait(Family& family);
  void read(Family& family);

  asio::io_context& io_;
  const std::string except_;
  std::function<void(ByteView)> on_datagram_;
  std::optional<Family> v4_;
  std::optional<Family> v6_;
};

}  // namespace ipop::overlay
