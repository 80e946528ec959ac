// Who a node is: the first 20 bytes of BLAKE2b of its Ed25519 public key.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>

#include "base/text.hpp"

namespace ipop::overlay {

using SigningPublicKey = std::array<std::uint8_t, 32>;   // Ed25519
using ExchangePublicKey = std::array<std::uint8_t, 32>;  // X25519, as `wg` shows it in base64
using Signature = std::array<std::uint8_t, 64>;          // Ed25519

struct NodeId {
  std::array<std::uint8_t, 20> bytes{};

  [[nodiscard]] static NodeId of(const SigningPublicKey& key) noexcept;
  [[nodiscard]] std::string to_string() const { return to_hex(bytes); }
  // The first 8 hexadecimal digits, for logs and tables.
  [[nodiscard]] std::string brief() const { return to_string().substr(0, 8); }

  friend auto operator<=>(const NodeId&, const NodeId&) noexcept = default;
};

}  // namespace ipop::overlay

template <>
struct std::hash<ipop::overlay::NodeId> {
  std::size_t operator()(const ipop::overlay::NodeId& id) const noexcept {
    std::size_t value;
    std::memcpy(&value, id.bytes.data(), sizeof value);  // already a hash
    return value;
  }
};
