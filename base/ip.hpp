// Internet addresses, prefixes and UDP endpoints, IPv4 and IPv6 in one type (IPv4 as the
// IPv4-mapped IPv6 address, RFC 4291 §2.5.5.2). Values: any thread, no allocation except to_string.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/error.hpp"

struct sockaddr_storage;

namespace ipop {

class IpAddress {
 public:
  using Bytes = std::array<std::uint8_t, 16>;

  // ::, the IPv6 unspecified address.
  constexpr IpAddress() noexcept = default;
  constexpr explicit IpAddress(const Bytes& bytes) noexcept : bytes_(bytes) {}

  // `host_order` is 0xC0A80A0A for 192.168.10.10.
  [[nodiscard]] static constexpr IpAddress v4(std::uint32_t host_order) noexcept {
    const bool little = std::endian::native == std::endian::little;
    const std::uint32_t last = little ? swap_bytes(host_order) : host_order;
    if
      consteval {
        return IpAddress(std::bit_cast<Bytes>(Words{0, 0, kMapped, last}));
      }
    else {
      // One store of 16 bytes: whoever reads them as a whole soon after need not wait for four.
      return IpAddress(std::bit_cast<Bytes>(Vector{0, 0, kMapped, last}));
    }
  }
  // From 4 or 16 bytes in network order, as they stand in a packet. Pointers must be readable.
  [[nodiscard]] static IpAddress v4_at(const std::uint8_t* at) noexcept {
    return v4(load_be<std::uint32_t>(at));
  }
  [[nodiscard]] static IpAddress v6_at(const std::uint8_t* at) noexcept {
    IpAddress address;
    std::memcpy(address.bytes_.data(), at, 16);
    return address;
  }
  // Dotted quad or RFC 4291 text; no zone, no port, no brackets.
  [[nodiscard]] static Result<IpAddress> parse(std::string_view text);

  [[nodiscard]] constexpr bool is_v4() const noexcept {
    const auto words = std::bit_cast<Words>(bytes_);
    return (words[0] | words[1] | (words[2] ^ kMapped)) == 0;
  }
  // Host order; only meaningful if is_v4().
  [[nodiscard]] std::uint32_t v4() const noexcept { return load_be<std::uint32_t>(&bytes_[12]); }
  [[nodiscard]] constexpr const Bytes& bytes() const noexcept { return bytes_; }
  // Bits of its own family: 32 or 128.
  [[nodiscard]] constexpr unsigned bits() const noexcept { return is_v4() ? 32 : 128; }

  [[nodiscard]] bool is_unspecified() const noexcept;  // 0.0.0.0 or ::
  [[nodiscard]] bool is_loopback() const noexcept;     // 127/8 or ::1
  // 224/4, 255.255.255.255 or ff00::/8.
  [[nodiscard]] bool is_multicast() const noexcept {
    if (is_v4()) return (bytes_[12] & 0xf0) == 0xe0 || v4() == 0xffffffff;
    return bytes_[0] == 0xff;
  }
  [[nodiscard]] bool is_link_local() const noexcept;  // 169.254/16 or fe80::/10
  [[nodiscard]] bool is_private() const noexcept;     // RFC 1918, RFC 6598, RFC 4193

  [[nodiscard]] std::string to_string() const;

  friend constexpr auto operator<=>(const IpAddress&, const IpAddress&) noexcept = default;
  // Spelled out, as it is asked several times for each packet: four compares instead of a call.
  friend constexpr bool operator==(const IpAddress& a, const IpAddress& b) noexcept {
    const auto x = std::bit_cast<Words>(a.bytes_);
    const auto y = std::bit_cast<Words>(b.bytes_);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1]) | (x[2] ^ y[2]) | (x[3] ^ y[3])) == 0;
  }

 private:
  using Words = std::array<std::uint32_t, 4>;
  using Vector = std::uint32_t __attribute__((vector_size(16)));
  // ::ffff:0:0/96 as the third word of memory.
  static constexpr std::uint32_t kMapped =
      std::endian::native == std::endian::little ? 0xffff0000u : 0x0000ffffu;

  Bytes bytes_{};
};

// An address and how many of its leading bits count. `address` may have host bits set, as in
// 192.168.10.10/24; `masked()` clears them.
struct Prefix {
  IpAddress address;
  std::uint8_t length = 0;  // bits of the address's own family

  // "192.168.10.10/24" or, without a slash, a whole address.
  [[nodiscard]] static Result<Prefix> parse(std::string_view text);
  [[nodiscard]] static Prefix host(const IpAddress& address) noexcept {
    return {address, static_cast<std::uint8_t>(address.bits())};
  }

  [[nodiscard]] bool is_host() const noexcept { return length == address.bits(); }
  [[nodiscard]] Prefix masked() const noexcept;
  [[nodiscard]] bool contains(const IpAddress& other) const noexcept;
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const Prefix&, const Prefix&) noexcept = default;
};

struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  // By which of our own sockets: 0 is the one whose port everybody is told (WireSockets has
  // others, and lanes may). Never in a socket address, nor in what others are told.
  std::uint16_t socket = 0;
  // Not 0: what is meant is not who listens there, but whom that relay passes a datagram with this
  // label on to. Never in a socket address.
  std::uint32_t label = 0;

  // The same without its label: the relay itself.
  [[nodiscard]] Endpoint relay() const noexcept { return {address, port, socket}; }
  // As others are told of it.
  [[nodiscard]] Endpoint bare() const noexcept { return {address, port}; }

  // "192.0.2.1:4545" or "[2001:db8::1]:4545"; to_string() adds " socket 3" and
  // " label 17".
  [[nodiscard]] static Result<Endpoint> parse(std::string_view text);
  // Unsupported families give the unspecified endpoint.
  [[nodiscard]] static Endpoint from_sockaddr(const sockaddr_storage& from) noexcept;
  // Fills `into` as AF_INET or AF_INET6 by the address; returns the length to pass to the kernel.
  std::size_t to_sockaddr(sockaddr_storage& into) const noexcept;

  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const Endpoint&, const Endpoint&) noexcept = default;
};

}  // namespace ipop

template <>
struct std::hash<ipop::IpAddress> {
  std::size_t operator()(const ipop::IpAddress& address) const noexcept;
};

template <>
struct std::hash<ipop::Endpoint> {
  std::size_t operator()(const ipop::Endpoint& endpoint) const noexcept;
};
