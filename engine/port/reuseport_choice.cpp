#include "engine/port/reuseport_choice.hpp"

#include <linux/filter.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>

#include "engine/path/data_header.hpp"
#include "engine/path/relay_header.hpp"

namespace ipop::engine {
namespace {

constexpr auto kNetworkHeader = static_cast<std::uint32_t>(SKF_NET_OFF);

// Where the source is, counted from the start of an IP header without options. With options other
// bytes are taken for the port, the same ones for all of a flow.
struct SourcePlaces {
  std::uint32_t address;  // its last four bytes
  std::uint32_t port;
};
constexpr SourcePlaces kIpv4{.address = 12, .port = 20};
constexpr SourcePlaces kIpv6{.address = 20, .port = 40};

// Fibonacci hashing: neighbouring ports and addresses spread.
constexpr std::uint32_t kMultiplier = 0x9e3779b1;

constexpr sock_filter step(std::uint16_t code, std::uint32_t k, std::uint8_t if_true = 0,
                           std::uint8_t if_false = 0) {
  return {.code = code, .jt = if_true, .jf = if_false, .k = k};
}

}  // namespace

bool choose_by_kind(const Fd& socket, bool v4, unsigned data_sockets) noexcept {
  const SourcePlaces at = v4 ? kIpv4 : kIpv6;
  // Offset 0 is the UDP payload. Where a load fails (there is none), number 0 is chosen.
  sock_filter steps[] = {
      step(BPF_LD | BPF_B | BPF_ABS, 0),
      step(BPF_JMP | BPF_JEQ | BPF_K, kDataType, 2),
      step(BPF_JMP | BPF_JEQ | BPF_K, kRelayType, 1),
      step(BPF_RET | BPF_K, 1),
      step(BPF_LD | BPF_H | BPF_ABS, kNetworkHeader + at.port),
      step(BPF_ALU | BPF_MUL | BPF_K, kMultiplier),
      step(BPF_MISC | BPF_TAX, 0),
      step(BPF_LD | BPF_W | BPF_ABS, kNetworkHeader + at.address),
      step(BPF_ALU | BPF_XOR | BPF_X, 0),
      step(BPF_ALU | BPF_MUL | BPF_K, kMultiplier),
      step(BPF_ALU | BPF_RSH | BPF_K, 16),
      step(BPF_ALU | BPF_MOD | BPF_K, data_sockets),
      step(BPF_JMP | BPF_JEQ | BPF_K, 0, 1),
      step(BPF_ALU | BPF_ADD | BPF_K, 1),
      step(BPF_RET | BPF_A, 0),
  };
  const sock_fprog program{.len = std::size(steps), .filter = steps};
  return setsockopt(socket.get(), SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program) ==
         0;
}

}  // namespace ipop::engine
