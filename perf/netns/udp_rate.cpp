// Counts how many small UDP datagrams a second get from one host to another.
//
//     udp_rate receive ADDRESS PORT            prints how many came, 0.5 s after the last
//     udp_rate send ADDRESS PORT BYTES SECONDS prints how many were handed to the kernel
//
// Datagrams are sent and received in batches of 64 per system call, so that the network between the
// two is measured rather than these two programs. Used by measures.py.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "base/fd.hpp"
#include "base/ip.hpp"

namespace {

constexpr std::size_t kBatch = 64;
constexpr std::size_t kLargest = 2048;
constexpr int kFirstWithinMs = 10'000;
constexpr int kIdleMs = 500;

unsigned number(std::string_view text, unsigned most) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) {
    throw std::runtime_error("not a number up to " + std::to_string(most) + ": " +
                             std::string(text));
  }
  return value;
}

// A batch of equal datagrams, in the form that the kernel wants.
class Batch {
 public:
  explicit Batch(std::size_t bytes) : buffers_(kBatch * bytes) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      parts_[i] = {buffers_.data() + i * bytes, bytes};
      messages_[i] = {};
      messages_[i].msg_hdr.msg_iov = &parts_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  [[nodiscard]] mmsghdr* messages() noexcept { return messages_.data(); }

 private:
  std::vector<std::uint8_t> buffers_;
  std::array<iovec, kBatch> parts_{};
  std::array<mmsghdr, kBatch> messages_{};
};

std::uint64_t receive(int fd) {
  Batch batch(kLargest);
  std::uint64_t count = 0;
  pollfd wait{fd, POLLIN, 0};
  std::puts("listening");
  std::fflush(stdout);
  while (::poll(&wait, 1, count == 0 ? kFirstWithinMs : kIdleMs) > 0) {
    const int got = ::recvmmsg(fd, batch.messages(), kBatch, MSG_DONTWAIT, nullptr);
    if (got > 0) count += static_cast<std::uint64_t>(got);
  }
  return count;
}

std::uint64_t send(int fd, std::size_t bytes, std::chrono::seconds duration) {
  Batch batch(bytes);
  std::uint64_t count = 0;
  const auto end = std::chrono::steady_clock::now() + duration;
  while (std::chrono::steady_clock::now() < end) {
    const int sent = ::sendmmsg(fd, batch.messages(), kBatch, 0);
    if (sent > 0) count += static_cast<std::uint64_t>(sent);
  }
  return count;
}

int run(int argc, char** argv) {
  const std::string_view what = argc > 1 ? argv[1] : "";
  const bool receiving = what == "receive" && argc == 4;
  if (!receiving && !(what == "send" && argc == 6)) {
    std::fputs("usage: udp_rate receive ADDRESS PORT | send ADDRESS PORT BYTES SECONDS\n", stderr);
    return 2;
  }
  const auto parsed = ipop::IpAddress::parse(argv[2]);
  if (!parsed) throw std::runtime_error(parsed.error().message);
  const ipop::Endpoint endpoint{*parsed, static_cast<std::uint16_t>(number(argv[3], 65535))};
  sockaddr_storage address{};
  const auto length = static_cast<socklen_t>(endpoint.to_sockaddr(address));
  const ipop::Fd fd(::socket(address.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  const int buffer = 4 << 20;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  const int failed =
      receiving ? ::bind(fd.get(), generic, length) : ::connect(fd.get(), generic, length);
  if (failed != 0) throw std::runtime_error(std::strerror(errno));
  const std::uint64_t count = receiving ? receive(fd.get())
                                        : send(fd.get(), number(argv[4], kLargest),
                                               std::chrono::seconds(number(argv[5], 3600)));
  std::printf("%llu\n", static_cast<unsigned long long>(count));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "udp_rate: %s\n", error.what());
    return 1;
  }
}
