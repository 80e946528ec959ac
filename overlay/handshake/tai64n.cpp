#include "overlay/handshake/noise.hpp"

namespace ipop::overlay::handshake {
namespace {

// 1970-01-01 00:00:00 UTC is second 2^62 + 10 of TAI64 (the offset of 1970; leap seconds since then
// are left out, as everywhere in WireGuard: the label only has to grow).
constexpr std::uint64_t kEpoch = (std::uint64_t{1} << 62) + 10;
// Steps of 2^24 ns (17 ms): a finer label would tell others about this machine's clock and timing.
constexpr std::uint32_t kFineBits = (std::uint32_t{1} << 24) - 1;

}  // namespace

Timestamp tai64n(WallTime wall) noexcept {
  const auto second = std::chrono::floor<std::chrono::seconds>(wall);
  const auto nanosecond = static_cast<std::uint32_t>((wall - second).count());
  Timestamp label;
  store_be(&label[0], kEpoch + static_cast<std::uint64_t>(second.time_since_epoch().count()));
  store_be(&label[8], nanosecond & ~kFineBits);
  return label;
}

}  // namespace ipop::overlay::handshake
