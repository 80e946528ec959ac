#include "conf/field.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "conf/utf8.hpp"

namespace ipop::conf {
namespace {

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_hostname_character(char c) {
  return is_letter_or_digit(c) || c == '-' || c == '_' || c == '.';
}

std::unexpected<Error> is_not(std::string_view text, std::string_view what) {
  return fail(in_quotes(text) + " is not " + std::string(what));
}

// 0/8 is "this network", 240/4 is reserved (RFC 6890): no host has such an address.
bool is_reserved_v4(const IpAddress& address) {
  const std::uint32_t first = address.v4() >> 24;
  return first == 0 || first >= 240;
}

// Why no host may have this address, or nothing.
std::string_view why_not_a_host(const Prefix& host) {
  const IpAddress& address = host.address;
  if (address.is_loopback()) return "a loopback address";
  if (address.is_multicast()) return "a multicast or broadcast address";
  if (address.is_unspecified()) return "the unspecified address";
  if (address.is_v4() && is_reserved_v4(address)) return "a reserved address";
  if (!address.is_v4() && address.is_link_local()) return "a link-local address";
  // In subnets of two addresses or one, every address is a host's (RFC 3021, RFC 6164).
  if (host.length + 2u > address.bits()) return "";
  if (host.masked().address == address) return "the address of the subnet itself";
  if (address.is_v4()) {
    const std::uint32_t host_bits = 0xffffffffu >> host.length;
    if ((address.v4() & host_bits) == host_bits) return "the broadcast address of its subnet";
  }
  return "";
}

Result<Prefix> parse_host(std::string_view text, bool v4, const std::string& example) {
  if (text == "auto") return fail("auto is not supported yet; write an address such as " + example);
  const auto host = Prefix::parse(text);
  if (!host) return is_not(text, "an address with a prefix length, such as " + example);
  if (text.find('/') == std::string_view::npos) {
    return fail(in_quotes(text) + " lacks its prefix length, as in " + example);
  }
  if (host->address.is_v4() != v4) {
    return is_not(text, v4 ? "IPv4; an IPv6 address belongs in address6" : "IPv6");
  }
  if (host->length == 0) return fail(in_quotes(text) + " has a prefix length of 0");
  const std::string_view why = why_not_a_host(*host);
  if (!why.empty()) return fail(in_quotes(text) + " is " + std::string(why) + ", not a host's");
  return *host;
}

Result<std::array<std::uint8_t, 32>> parse_key(std::string_view text) {
  auto bytes = from_base64(text);
  std::array<std::uint8_t, 32> key{};
  if (!bytes || bytes->size() != key.size()) {
    return fail("not a key: 32 bytes in base64, as wg prints them");
  }
  std::ranges::copy(*bytes, key.begin());
  sodium_memzero(bytes->data(), bytes->size());
  if (std::ranges::all_of(key, [](std::uint8_t byte) { return byte == 0; })) {
    return fail("a key of zeros protects nothing");
  }
  return key;
}

bool is_host_name(std::string_view text) {
  if (text.empty() || text.size() > 253) return false;
  // What has no letter was meant to be an address, and is not one.
  if (text.find_first_not_of("0123456789.") == std::string_view::npos) return false;
  std::size_t label = 0;
  for (const char c : text) {
    if (!is_hostname_character(c)) return false;
    if (c == '.' && label == 0) return false;
    label = c == '.' ? 0 : label + 1;
    if (label > 63) return false;
  }
  return true;
}

Result<HostPort> parse_host_port(std::string_view text, std::uint16_t port_if_none,
                                 std::string_view example) {
  HostPort node{.host = std::string(text), .port = port_if_none};
  std::string_view port;
  const std::size_t bracket = text.find(']');
  if (text.starts_with('[') && bracket != std::string_view::npos) {
    node.host = text.substr(1, bracket - 1);
    port = text.substr(bracket + 1);
    const auto address = IpAddress::parse(node.host);
    if (!address || node.host.find(':') == std::string::npos) node.host.clear();
  } else if (std::ranges::count(text, ':') == 1) {
    node.host = text.substr(0, text.find(':'));
    port = text.substr(text.find(':'));
  }
  if (!is_host_name(node.host) && !IpAddress::parse(node.host)) {
    return is_not(text, "a host and a port, such as " + std::string(example));
  }
  if (port.empty()) return node;
  const auto number = Number<std::uint16_t>{1, 65535}(port.substr(1));
  if (port.front() != ':' || !number) {
    return fail(in_quotes(text) + " ends in something else than a port from 1 to 65535");
  }
  node.port = *number;
  return node;
}

// With or without a domain.
bool is_pci_address(std::string_view name) {
  constexpr std::string_view kForm = "xxxx:xx:xx.x";
  constexpr std::string_view kHex = "0123456789abcdefABCDEF";
  if (name.size() != kForm.size() && name.size() != kForm.size() - 5) return false;
  return std::ranges::equal(name, kForm.substr(kForm.size() - name.size()), [&](char c, char form) {
    return form == 'x' ? kHex.find(c) != std::string_view::npos : c == form;
  });
}

Result<IpAddress> parse_gateway(std::string_view text, bool v4, std::string_view example) {
  const auto address = IpAddress::parse(text);
  if (!address || address->is_v4() != v4 || address->is_multicast() || address->is_unspecified() ||
      address->is_loopback()) {
    return is_not(text, "the address of a router, such as " + std::string(example));
  }
  return *address;
}

}  // namespace

Result<std::string> parse_network_name(std::string_view text) {
  if (text.empty() || text.size() > 128) return fail("must have 1 to 128 bytes");
  if (!is_plain_text(text)) return fail("must not have tabs, line ends or control characters");
  return std::string(text);
}

Result<std::string> parse_secret(std::string_view text) {
  if (text.size() > kMostSecretBytes) {
    return fail("must have at most " + std::to_string(kMostSecretBytes) + " bytes");
  }
  if (!is_plain_text(text)) return fail("must not have tabs, line ends or control characters");
  return std::string(text);
}

Result<std::string> parse_hostname(std::string_view text) {
  if (text.size() > kMostHostnameBytes || !std::ranges::all_of(text, is_hostname_character)) {
    return is_not(text, "a name of at most 63 letters, digits, \"-\", \"_\" and \".\"");
  }
  return std::string(text);
}

Result<std::string> parse_peer_name(std::string_view text) {
  if (text.size() > 63 || !is_plain_text(text)) {
    return is_not(text, "a name of at most 63 bytes without control characters");
  }
  return std::string(text);
}

Result<std::string> parse_interface_name(std::string_view text) {
  // The kernel refuses "/", ":" and spaces, and would number a name with "%d" in it.
  const bool good = std::ranges::all_of(
      text, [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != ':' && c != '%'; });
  if (!good || text.empty() || text.size() > 15 || text == "." || text == "..") {
    return is_not(text,
                  "a name for an interface: 1 to 15 characters, no space, \"/\", \":\" or \"%\"");
  }
  return std::string(text);
}

Result<std::filesystem::path> parse_file_name(std::string_view text) {
  if (text.size() > 1024 || !is_plain_text(text)) return is_not(text, "the name of a file");
  return std::filesystem::path(text);
}

Result<std::filesystem::path> parse_absolute_path(std::string_view text) {
  // A Unix socket's whole path has at most 107 bytes, and it stands inside the directory.
  constexpr std::size_t kLongest = 80;
  if (!text.starts_with('/') || text.size() > kLongest || !is_plain_text(text)) {
    return is_not(text, "an absolute path of at most 80 bytes");
  }
  return std::filesystem::path(text);
}

Result<Prefix> parse_host_v4(std::string_view text) {
  return parse_host(text, true, "192.168.10.10/24");
}

Result<Prefix> parse_host_v6(std::string_view text) {
  return parse_host(text, false, "fd00:10::10/64");
}

Result<Prefix> parse_subnet(std::string_view text) {
  const auto subnet = Prefix::parse(text);
  if (!subnet) return is_not(text, "a subnet such as 10.1.0.0/16");
  if (subnet->masked() != *subnet) {
    return fail(in_quotes(text) + " has bits set beyond its length; write " +
                subnet->masked().to_string());
  }
  const IpAddress& address = subnet->address;
  if (address.is_multicast() || address.is_loopback()) {
    return is_not(text, "a subnet of hosts: it is multicast or loopback");
  }
  return *subnet;
}

Result<std::string> parse_device(std::string_view text) {
  const std::string_view name = text.substr(0, text.find(','));
  const bool is_virtual = name.starts_with("net_") && name.size() > 4;
  const bool has_spaces = text.find(' ') != std::string_view::npos;
  if ((!is_virtual && !is_pci_address(name)) || has_spaces || text.size() > 256 ||
      !is_plain_text(text)) {
    return is_not(text, "a device such as 0000:00:05.0 or net_af_xdp0,iface=eth0");
  }
  return std::string(text);
}

Result<IpAddress> parse_gateway_v4(std::string_view text) {
  return parse_gateway(text, true, "192.0.2.1");
}

Result<IpAddress> parse_gateway_v6(std::string_view text) {
  return parse_gateway(text, false, "fe80::1");
}

Result<Endpoint> parse_listen(std::string_view text) {
  const auto endpoint = Endpoint::parse(text);
  if (!endpoint) return is_not(text, "an address and a port, such as 0.0.0.0:4545 or [::]:4545");
  if (endpoint->address.is_multicast()) return is_not(text, "an address of this machine");
  return *endpoint;
}

Result<Endpoint> parse_endpoint(std::string_view text) {
  const auto endpoint = Endpoint::parse(text);
  if (!endpoint) {
    return is_not(text, "an address and a port, such as 192.0.2.1:4545 or [2001:db8::1]:4545");
  }
  if (endpoint->port == 0 || endpoint->address.is_multicast() ||
      endpoint->address.is_unspecified()) {
    return is_not(text, "the address and port of one machine");
  }
  return *endpoint;
}

Result<HostPort> parse_bootstrap(std::string_view text) {
  return parse_host_port(text, kBootstrapPort, "bootstrap.example.org:4222");
}

Result<HostPort> parse_stun(std::string_view text) {
  return parse_host_port(text, kStunPort, "stun.example.org:3478");
}

Result<std::array<std::uint8_t, 32>> parse_public_key(std::string_view text) {
  return parse_key(text);
}

Result<Secret<32>> parse_preshared_key(std::string_view text) {
  auto key = parse_key(text);
  if (!key) return std::unexpected(key.error());
  const Secret<32> secret{std::span<const std::uint8_t, 32>(*key)};
  sodium_memzero(key->data(), key->size());
  return secret;
}

}  // namespace ipop::conf
