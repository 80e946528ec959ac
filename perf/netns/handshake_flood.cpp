// Sends what looks like initiations of IPOP handshakes, each from another made-up address of
// 198.18.0.0/15, as fast as one core can.
//
//     handshake_flood ADDRESS PORT SECONDS     prints how many were handed to the kernel
//
// For an IPv4 destination in a test's namespaces; needs CAP_NET_RAW. Used by flood_test.py.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>

#include "base/fd.hpp"

namespace {

constexpr std::size_t kBatch = 64;
constexpr std::uint32_t kSources = 198u << 24 | 18u << 16;
constexpr std::uint32_t kSourceBits = (1u << 17) - 1;
// WireGuard's 148 bytes, and the payload of IPOP (docs/protocol.md): digest, suites, capabilities,
// lanes.
constexpr std::size_t kInitiation = 148 + 32 + 1 + 4 + 2;

struct Datagram {
  iphdr ip;
  udphdr udp;
  std::array<std::uint8_t, kInitiation> message;
};
static_assert(sizeof(Datagram) == 28 + kInitiation + 1, "one byte at the end is not sent");
constexpr std::size_t kBytes = 28 + kInitiation;

class Flood {
 public:
  explicit Flood(const sockaddr_in& to) : to_(to) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      Datagram& each = datagrams_[i];
      each.ip.version = 4;
      each.ip.ihl = 5;
      each.ip.ttl = 64;
      each.ip.protocol = IPPROTO_UDP;
      each.ip.daddr = to.sin_addr.s_addr;
      each.udp.dest = to.sin_port;
      each.udp.len = htons(sizeof(udphdr) + kInitiation);
      for (std::uint8_t& byte : each.message)
        byte = static_cast<std::uint8_t>(chance_());
      each.message[0] = 0x11;
      each.message[1] = each.message[2] = each.message[3] = 0;
      parts_[i] = {&each, kBytes};
      messages_[i].msg_hdr.msg_name = &to_;
      messages_[i].msg_hdr.msg_namelen = sizeof to_;
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }

  // How many of a batch were taken; each is another one than those before.
  [[nodiscard]] std::uint64_t send(int fd) {
    for (Datagram& each : datagrams_) {
      const auto random = static_cast<std::uint32_t>(chance_());
      each.ip.saddr = htonl(kSources | (random & kSourceBits));
      each.udp.source = htons(static_cast<std::uint16_t>(1024 + (random >> 17)));
      std::memcpy(each.message.data() + 8, &random, sizeof random);
    }
    const int sent = ::sendmmsg(fd, messages_.data(), kBatch, 0);
    return sent > 0 ? static_cast<std::uint64_t>(sent) : 0;
  }

 private:
  sockaddr_in to_;
  std::mt19937 chance_{1};
  std::array<Datagram, kBatch> datagrams_{};
  std::array<iovec, kBatch> parts_{};
  std::array<mmsghdr, kBatch> messages_{};
};

}  // namespace

int main(int argc, char** argv) {
  sockaddr_in to{.sin_family = AF_INET};
  if (argc != 4 || ::inet_pton(AF_INET, argv[1], &to.sin_addr) != 1) {
    std::fputs("usage: handshake_flood ADDRESS PORT SECONDS\n", stderr);
    return 2;
  }
  to.sin_port = htons(static_cast<std::uint16_t>(std::atoi(argv[2])));
  const ipop::Fd fd(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
  if (!fd) {
    std::fprintf(stderr, "handshake_flood: %s\n", std::strerror(errno));
    return 1;
  }
  Flood flood(to);
  std::uint64_t count = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(std::atoi(argv[3]));
  while (std::chrono::steady_clock::now() < end)
    count += flood.send(fd.get());
  std::printf("%llu\n", static_cast<unsigned long long>(count));
}
