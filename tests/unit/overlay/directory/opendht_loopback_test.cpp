// Nodes over real UDP sockets on the loopback interface, with Debian's dhtnode as the only
// bootstrap node:
//
//     dhtnode 127.0.0.1:P ── alice 127.0.0.2
//             └───────────── bob   127.0.0.3
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/fd.hpp"
#include "overlay/directory/opendht_directory.hpp"
#include "tests/support/child_process.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

using Values = std::vector<DirectoryValue>;

const DirectoryKey kKey{{7, 7, 7}};

// A UDP socket at `address` and a port that the system chose.
struct UdpSocket {
  explicit UdpSocket(const char* address)
      : fd(::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_storage storage;
    const std::size_t size = Endpoint{IpAddress::parse(address).value(), 0}.to_sockaddr(storage);
    socklen_t length = sizeof storage;
    if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&storage), static_cast<socklen_t>(size)) !=
            0 ||
        ::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&storage), &length) != 0) {
      throw std::runtime_error(std::string("cannot bind to ") + address);
    }
    at = Endpoint::from_sockaddr(storage);
  }

  void send(const Endpoint& to, ByteView datagram) const {
    sockaddr_storage storage;
    const std::size_t size = to.to_sockaddr(storage);
    (void)::sendto(fd.get(), datagram.data(), datagram.size(), 0,
                   reinterpret_cast<sockaddr*>(&storage), static_cast<socklen_t>(size));
  }

  Fd fd;
  Endpoint at;
};

struct Node {
  Node(const char* address, std::uint16_t bootstrap_port)
      : socket(address),
        directory({.network = 99, .bootstrap = {{"127.0.0.1", bootstrap_port}}},
                  [this](const Endpoint& to, ByteView bytes) { socket.send(to, bytes); }) {}

  void receive() {
    std::uint8_t buffer[2048];
    sockaddr_storage from{};
    for (;;) {
      socklen_t length = sizeof from;
      const ssize_t got = ::recvfrom(socket.fd.get(), buffer, sizeof buffer, 0,
                                     reinterpret_cast<sockaddr*>(&from), &length);
      if (got < 0) return;
      directory.on_datagram(Endpoint::from_sockaddr(from), {buffer, static_cast<std::size_t>(got)},
                            read_monotonic());
    }
  }

  UdpSocket socket;
  OpenDhtDirectory directory;
};

// Waits for datagrams and timers, as the daemon's loop does.
bool run_until(std::vector<Node*> nodes, const std::function<bool()>& done, Duration limit = 10s) {
  const Instant end = read_monotonic() + limit;
  while (!done()) {
    const Instant now = read_monotonic();
    if (now >= end) return false;
    Instant next = end;
    std::vector<pollfd> fds;
    for (Node* node : nodes) {
      if (node->directory.due() <= now) (void)node->directory.run(now);
      next = std::min(next, node->directory.due());
      fds.push_back({.fd = node->socket.fd.get(), .events = POLLIN, .revents = 0});
    }
    if (done()) break;
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(next - read_monotonic());
    (void)::poll(fds.data(), fds.size(), static_cast<int>(std::max<long>(0, wait.count())));
    for (Node* node : nodes)
      node->receive();
  }
  return true;
}

double milliseconds_since(Instant start) {
  return std::chrono::duration<double, std::milli>(read_monotonic() - start).count();
}

std::uint16_t free_port() {
  return UdpSocket("127.0.0.1").at.port;  // free again when the socket is closed
}

struct OpenDhtLoopback : testing::Test {
  std::uint16_t port = free_port();
  std::unique_ptr<ChildProcess> dhtnode;

  void start_dhtnode() {
    try {
      dhtnode = std::make_unique<ChildProcess>(
          std::vector<std::string>{"dhtnode", "-s", "-n", "99", "-p", std::to_string(port)});
    } catch (const std::runtime_error& error) {
      FAIL() << error.what() << " (it is in Debian's package dhtnode)";
    }
  }
};

TEST_F(OpenDhtLoopback, JoinsAndFindsByDhtnodeInWellUnderASecond) {
  ASSERT_NO_FATAL_FAILURE(start_dhtnode());
  {
    // dhtnode is up when it answers somebody.
    Node first("127.0.0.9", port);
    ASSERT_TRUE(run_until({&first}, [&] { return first.directory.status().connected; }));
  }
  Instant start = read_monotonic();
  Node alice("127.0.0.2", port);
  Node bob("127.0.0.3", port);
  ASSERT_TRUE(run_until({&alice, &bob}, [&] {
    return alice.directory.status().connected && bob.directory.status().connected;
  }));
  RecordProperty("start_to_connected_ms", std::to_string(milliseconds_since(start)));
  EXPECT_LT(milliseconds_since(start), 500);

  Values heard;
  bob.directory.listen(kKey,
                       [&](ByteView value) { heard.emplace_back(value.begin(), value.end()); });
  start = read_monotonic();
  alice.directory.publish(kKey, DirectoryValue(400, 1));
  ASSERT_TRUE(run_until({&alice, &bob}, [&] { return !heard.empty(); }));
  RecordProperty("publish_to_pushed_ms", std::to_string(milliseconds_since(start)));

  Values found;
  bool done = false;
  start = read_monotonic();
  bob.directory.lookup(
      kKey, [&](ByteView value) { found.emplace_back(value.begin(), value.end()); },
      [&](bool complete) { done = complete; });
  ASSERT_TRUE(run_until({&alice, &bob}, [&] { return !found.empty(); }));
  RecordProperty("lookup_to_found_ms", std::to_string(milliseconds_since(start)));
  ASSERT_TRUE(run_until({&alice, &bob}, [&] { return done; }));
  RecordProperty("lookup_to_done_ms", std::to_string(milliseconds_since(start)));
  EXPECT_EQ(found[0], DirectoryValue(400, 1));
}

TEST_F(OpenDhtLoopback, StartsTogetherAndFindsWithinASecond) {
  ASSERT_NO_FATAL_FAILURE(start_dhtnode());
  {
    Node first("127.0.0.9", port);
    ASSERT_TRUE(run_until({&first}, [&] { return first.directory.status().connected; }));
  }
  // What two daemons do that start at the same time: each publishes itself and asks for the other.
  const Instant start = read_monotonic();
  Node alice("127.0.0.2", port);
  Node bob("127.0.0.3", port);
  const DirectoryKey bobs_key{{8}};
  alice.directory.publish(kKey, DirectoryValue(400, 1));
  bob.directory.publish(bobs_key, DirectoryValue(400, 2));
  bool asking = false;
  Values found;
  ASSERT_TRUE(run_until({&alice, &bob}, [&] {
    if (!asking) {
      asking = true;
      alice.directory.lookup(
          bobs_key, [&](ByteView value) { found.emplace_back(value.begin(), value.end()); },
          [&](bool) { asking = false; });
    }
    return !found.empty();
  }));
  RecordProperty("start_to_found_ms", std::to_string(milliseconds_since(start)));
  EXPECT_LT(milliseconds_since(start), 1000);
}

TEST_F(OpenDhtLoopback, WaitsForADhtnodeThatStartsLater) {
  Node alice("127.0.0.2", port);
  ASSERT_TRUE(run_until({&alice}, [&] { return alice.directory.counters().bootstrap_calls >= 3; }));
  EXPECT_FALSE(alice.directory.status().connected);
  ASSERT_NO_FATAL_FAILURE(start_dhtnode());
  EXPECT_TRUE(run_until({&alice}, [&] { return alice.directory.status().connected; }));
}

TEST_F(OpenDhtLoopback, OutlivesARestartOfDhtnode) {
  ASSERT_NO_FATAL_FAILURE(start_dhtnode());
  Node alice("127.0.0.2", port);
  Node bob("127.0.0.3", port);
  ASSERT_TRUE(run_until({&alice, &bob}, [&] {
    return alice.directory.status().connected && bob.directory.status().connected;
  }));
  Values heard;
  alice.directory.listen(kKey,
                         [&](ByteView value) { heard.emplace_back(value.begin(), value.end()); });
  bob.directory.publish(kKey, DirectoryValue(400, 1));
  ASSERT_TRUE(run_until({&alice, &bob}, [&] { return heard.size() == 1; }));
  dhtnode->stop();
  ASSERT_NO_FATAL_FAILURE(start_dhtnode());
  bob.directory.publish(kKey, DirectoryValue(400, 2));
  EXPECT_TRUE(run_until({&alice, &bob}, [&] { return heard.size() == 2; }));
}

}  // namespace
}  // namespace ipop::overlay
