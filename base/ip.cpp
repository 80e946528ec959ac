#include "base/ip.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>

namespace ipop {
namespace {

template <typename Integer>
bool parse_number(std::string_view text, Integer& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

std::unexpected<Error> not_a(std::string_view what, std::string_view text) {
  return fail("\"" + std::string(text) + "\" is not " + std::string(what));
}

}  // namespace

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string terminated(text);
  in_addr four{};
  if (inet_pton(AF_INET, terminated.c_str(), &four) == 1) return v4(ntohl(four.s_addr));
  Bytes six{};
  if (inet_pton(AF_INET6, terminated.c_str(), six.data()) == 1) return IpAddress(six);
  return not_a("an IP address", text);
}

bool IpAddress::is_unspecified() const noexcept {
  return *this == IpAddress() || *this == v4(0);
}

bool IpAddress::is_loopback() const noexcept {
  if (is_v4()) return bytes_[12] == 127;
  Bytes one{};
  one[15] = 1;
  return bytes_ == one;
}

bool IpAddress::is_link_local() const noexcept {
  if (is_v4()) return bytes_[12] == 169 && bytes_[13] == 254;
  return bytes_[0] == 0xfe && (bytes_[1] & 0xc0) == 0x80;
}

bool IpAddress::is_private() const noexcept {
  if (!is_v4()) return (bytes_[0] & 0xfe) == 0xfc;
  const std::uint32_t a = v4();
  return (a >> 24) == 10 || (a >> 20) == 0xac1 || (a >> 16) == 0xc0a8 || (a >> 22) == 0x191;
}

std::string IpAddress::to_string() const {
  char text[INET6_ADDRSTRLEN];
  if (is_v4()) {
    inet_ntop(AF_INET, &bytes_[12], text, sizeof text);
  } else {
    inet_ntop(AF_INET6, bytes_.data(), text, sizeof text);
  }
  return text;
}

Result<Prefix> Prefix::parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = IpAddress::parse(text.substr(0, slash));
  if (!address) return not_a("an address or a prefix such as 192.168.10.0/24", text);
  if (slash == std::string_view::npos) return host(*address);
  unsigned length = 0;
  if (!parse_number(text.substr(slash + 1), length) || length > address->bits()) {
    return not_a("a prefix: its length must be 0 to " + std::to_string(address->bits()), text);
  }
  return Prefix{*address, static_cast<std::uint8_t>(length)};
}

Prefix Prefix::masked() const noexcept {
  IpAddress::Bytes bytes = address.bytes();
  const unsigned offset = 128 - address.bits();
  for (unsigned bit = offset + length; bit < 128; ++bit) {
    bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80u >> (bit % 8)));
  }
  return {IpAddress(bytes), length};
}

bool Prefix::contains(const IpAddress& other) const noexcept {
  if (other.is_v4() != address.is_v4()) return false;
  return Prefix{other, length}.masked().address == masked().address;
}

std::string Prefix::to_string() const {
  return address.to_string() + "/" + std::to_string(length);
}

Result<Endpoint> Endpoint::parse(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return not_a("an endpoint such as 192.0.2.1:4545", text);
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  std::uint16_t port = 0;
  if (!address || !parse_number(text.substr(colon + 1), port) ||
      bracketed == (host.find('.') != std::string_view::npos && !host.contains(':'))) {
    return not_a("an endpoint such as 192.0.2.1:4545 or [2001:db8::1]:4545", text);
  }
  return Endpoint{*address, port};
}

Endpoint Endpoint::from_sockaddr(const sockaddr_storage& from) noexcept {
  if (from.ss_family == AF_INET) {
    const auto& four = reinterpret_cast<const sockaddr_in&>(from);
    return {IpAddress::v4(ntohl(four.sin_addr.s_addr)), ntohs(four.sin_port)};
  }
  if (from.ss_family == AF_INET6) {
    const auto& six = reinterpret_cast<const sockaddr_in6&>(from);
    return {IpAddress::v6_at(six.sin6_addr.s6_addr), ntohs(six.sin6_port)};
  }
  return {};
}

std::size_t Endpoint::to_sockaddr(sockaddr_storage& into) const noexcept {
  into = {};
  if (address.is_v4()) {
    auto& four = reinterpret_cast<sockaddr_in&>(into);
    four.sin_family = AF_INET;
    four.sin_port = htons(port);
    four.sin_addr.s_addr = htonl(address.v4());
    return sizeof four;
  }
  auto& six = reinterpret_cast<sockaddr_in6&>(into);
  six.sin6_family = AF_INET6;
  six.sin6_port = htons(port);
  std::ranges::copy(address.bytes(), six.sin6_addr.s6_addr);
  return sizeof six;
}

std::string Endpoint::to_string() const {
  const std::string host = address.is_v4() ? address.to_string() : "[" + address.to_string() + "]";
  const std::string by = socket == 0 ? "" : " socket " + std::to_string(socket);
  const std::string behind = label == 0 ? "" : " label " + std::to_string(label);
  return host + ":" + std::to_string(port) + by + behind;
}

}  // namespace ipop

namespace {

// Mixes two words into one; table keys come from peers, so tables keyed by these are bounded.
std::size_t mix(std::uint64_t a, std::uint64_t b) noexcept {
  std::uint64_t h = a * 0x9e3779b97f4a7c15u;
  h ^= (h >> 32) ^ b;
  h *= 0xd6e8feb86659fd93u;
  return h ^ (h >> 32);
}

}  // namespace

std::size_t std::hash<ipop::IpAddress>::operator()(const ipop::IpAddress& address) const noexcept {
  const std::uint8_t* at = address.bytes().data();
  return mix(ipop::load_le<std::uint64_t>(at), ipop::load_le<std::uint64_t>(at + 8));
}

std::size_t std::hash<ipop::Endpoint>::operator()(const ipop::Endpoint& endpoint) const noexcept {
  return mix(
      std::hash<ipop::IpAddress>{}(endpoint.address),
      std::uint64_t{endpoint.label} << 32 | std::uint64_t{endpoint.socket} << 16 | endpoint.port);
}
