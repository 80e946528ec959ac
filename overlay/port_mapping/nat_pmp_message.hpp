// Requests and answers of NAT-PMP (RFC 6886). Bytes from the network: parsing checks everything.
// Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"

namespace ipop::overlay::nat_pmp {

inline constexpr std::uint16_t kPort = 5351;

enum class Code : std::uint16_t {  // §3.5
  kSuccess = 0,
  kUnsupportedVersion = 1,
  kNotAuthorized = 2,
  kNetworkFailure = 3,
  kOutOfResources = 4,
  kUnsupportedOpcode = 5,
};

[[nodiscard]] std::array<std::uint8_t, 2> encode_address_request() noexcept;
// For UDP. A life of 0 removes the mapping; the outer port is then 0.
[[nodiscard]] std::array<std::uint8_t, 12> encode_map_request(std::uint16_t inner_port,
                                                              std::uint16_t outer_port,
                                                              std::uint32_t life_s) noexcept;

struct AddressAnswer {
  Code code = Code::kSuccess;
  std::uint32_t epoch_s = 0;
  IpAddress outside;  // if it is a success
};
// Nothing if it is no answer to an address request, or damaged.
[[nodiscard]] std::optional<AddressAnswer> parse_address_answer(ByteView datagram);

struct MapAnswer {
  Code code = Code::kSuccess;
  std::uint32_t epoch_s = 0;
  std::uint16_t outer_port = 0;  // these if it is a success
  std::uint32_t life_s = 0;
};
// Nothing if it is no answer to a UDP mapping request for this inner port, or damaged.
[[nodiscard]] std::optional<MapAnswer> parse_map_answer(ByteView datagram,
                                                        std::uint16_t inner_port);

// Follows the router's own clock: if it runs backwards, the router has restarted (§3.6).
class Epoch {
 public:
  // True if the router has lost what it knew since the last call.
  [[nodiscard]] bool restarted(std::uint32_t epoch_s, Instant now) noexcept;

 private:
  std::optional<std::uint32_t> epoch_s_;
  Instant at_{};
};

}  // namespace ipop::overlay::nat_pmp
