// What a single value of each kind may look like: text in, value or a sentence about the text out.
// No position, no key: conf/value.hpp adds those. Nothing is looked up in the network or on disk.
#pragma once

#include <array>
#include <charconv>
#include <concepts>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "base/ip.hpp"
#include "base/secret.hpp"
#include "conf/config.hpp"
#include "conf/error.hpp"

namespace ipop::conf {

constexpr std::uint16_t kStunPort = 3478;       // RFC 8489 §8.1
constexpr std::uint16_t kBootstrapPort = 4222;  // where OpenDHT's own node listens
constexpr std::size_t kMostHostnameBytes = 63;
constexpr std::size_t kMostSecretBytes = 1024;

[[nodiscard]] Result<std::string> parse_network_name(std::string_view text);
[[nodiscard]] Result<std::string> parse_secret(std::string_view text);  // never quotes the text
[[nodiscard]] Result<std::string> parse_hostname(std::string_view text);
[[nodiscard]] Result<std::string> parse_peer_name(std::string_view text);
[[nodiscard]] Result<std::string> parse_interface_name(std::string_view text);
[[nodiscard]] Result<std::filesystem::path> parse_file_name(std::string_view text);
[[nodiscard]] Result<std::filesystem::path> parse_absolute_path(std::string_view text);

// A host in its subnet: both the address and the length, as in 192.168.10.10/24.
[[nodiscard]] Result<Prefix> parse_host_v4(std::string_view text);
[[nodiscard]] Result<Prefix> parse_host_v6(std::string_view text);
// A subnet: no bit set beyond its length.
[[nodiscard]] Result<Prefix> parse_subnet(std::string_view text);

// A DPDK device: "0000:00:05.0", "net_af_packet0,iface=eth0".
[[nodiscard]] Result<std::string> parse_device(std::string_view text);
// A router on our link.
[[nodiscard]] Result<IpAddress> parse_gateway_v4(std::string_view text);
[[nodiscard]] Result<IpAddress> parse_gateway_v6(std::string_view text);

[[nodiscard]] Result<Endpoint> parse_listen(std::string_view text);
// Where a peer is reached: a unicast address and a port.
[[nodiscard]] Result<Endpoint> parse_endpoint(std::string_view text);
[[nodiscard]] Result<HostPort> parse_bootstrap(std::string_view text);
[[nodiscard]] Result<HostPort> parse_stun(std::string_view text);

[[nodiscard]] Result<std::array<std::uint8_t, 32>> parse_public_key(std::string_view text);
[[nodiscard]] Result<Secret<32>> parse_preshared_key(std::string_view text);  // never quotes

// A decimal number from `least` to `most`; `word`, where there is one, stands for `value_of_word`.
template <std::unsigned_integral T>
struct Number {
  T least = 0;
  T most = 0;
  std::string_view word = "";
  T value_of_word = 0;

  [[nodiscard]] Result<T> operator()(std::string_view text) const {
    if (!word.empty() && text == word) return value_of_word;
    T number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && end == text.data() + text.size() && number >= least &&
        number <= most) {
      return number;
    }
    return fail(in_quotes(text) + " is not " + (word.empty() ? "" : std::string(word) + " or ") +
                "a number from " + std::to_string(least) + " to " + std::to_string(most));
  }
};

// One of a few words.
template <typename T>
struct Choice {
  std::initializer_list<std::pair<std::string_view, T>> words;

  [[nodiscard]] Result<T> operator()(std::string_view text) const {
    std::string all;
    for (const auto& [word, value] : words) {
      if (text == word) return value;
      all += (all.empty() ? "" : ", ") + std::string(word);
    }
    return fail(in_quotes(text) + " is not one of: " + all);
  }
};

}  // namespace ipop::conf
