// Binding requests and responses of STUN (RFC 8489): what tells a node how its datagrams look from
// outside. Bytes from the network: parsing checks everything, nothing is kept of the input. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"

namespace ipop::overlay::stun {

using TransactionId = std::array<std::uint8_t, 12>;
using Message = std::vector<std::uint8_t>;

// Whether the header is STUN's: the two zero bits, the magic cookie, a length that is the
// datagram's.
[[nodiscard]] bool is_message(ByteView datagram) noexcept;

// How a server is to answer otherwise than usual (RFC 5780 §7.2, §7.5).
inline constexpr std::uint16_t kChangeRequest = 0x0003;
struct AnswerBy {
  std::uint16_t response_port = 0;  // to that port of the address that asks; 0: as it came
  bool from_other_port = false;     // of the server
};

struct Request {
  TransactionId id{};
  AnswerBy by;
  bool fingerprint = false;  // it had one, and it was right
  std::vector<std::uint16_t>
      not_known;  // attributes that must be understood and are not; at most 8
};
// Nothing if it is no Binding request, is damaged, or has a wrong fingerprint.
[[nodiscard]] std::optional<Request> parse_request(ByteView datagram);

struct Response {
  TransactionId id{};
  std::optional<Endpoint> mapped;  // nothing: the server refused
};
// Nothing if it is no Binding response or is damaged. MAPPED-ADDRESS counts where there is no
// XOR-MAPPED-ADDRESS: some gateways rewrite the former.
[[nodiscard]] std::optional<Response> parse_response(ByteView datagram);

[[nodiscard]] Message encode_request(const TransactionId& id, const AnswerBy& by = {});
// The success response, or 420 (Unknown Attribute) where there are some; never more than 24 bytes
// longer than the shortest request.
[[nodiscard]] Message encode_response(const Request& request, const Endpoint& source);

}  // namespace ipop::overlay::stun
