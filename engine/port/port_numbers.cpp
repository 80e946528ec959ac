#include "engine/port/port_numbers.hpp"

namespace ipop::engine {
namespace {

// RFC 6335 §6: dynamic ports; RFC 6056 says why they are chosen at random.
constexpr std::uint16_t kFirstPort = 49152;
constexpr std::uint16_t kPorts = 16384;

}  // namespace

PortNumbers::PortNumbers(std::uint16_t main)
    : main_(main),
      sockets_(std::make_unique<std::array<std::atomic<std::uint16_t>, 65536>>()),
      random_(std::random_device{}()) {}

Result<std::uint16_t> PortNumbers::open() {
  if (open_ == WireSockets::kMost) return fail("as many sockets as may be are open");
  std::uint16_t port = 0;
  do {
    port = static_cast<std::uint16_t>(kFirstPort + random_() % kPorts);
  } while (socket_at(port) >= 0);
  do {
    last_ = static_cast<std::uint16_t>(last_ % (kNumbers - 1) + 1);
  } while (port_of(last_) != 0);
  ports_[last_].store(port, std::memory_order_relaxed);
  (*sockets_)[port].store(last_, std::memory_order_relaxed);
  ++open_;
  return last_;
}

void PortNumbers::close(std::uint16_t socket) noexcept {
  if (socket == 0 || socket >= kNumbers) return;
  const std::uint16_t port = ports_[socket].exchange(0, std::memory_order_relaxed);
  if (port == 0) return;
  (*sockets_)[port].store(0, std::memory_order_relaxed);
  --open_;
}

}  // namespace ipop::engine
