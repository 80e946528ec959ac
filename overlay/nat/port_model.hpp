// How a NAT chooses the outside ports of new mappings, as far as a few of them tell: what the other
// end needs to know in order to guess where a datagram of ours will come from. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace ipop::overlay {

struct PortModel {
  // The values are those of the wire (message::PortsOffer).
  enum class Kind : std::uint8_t {
    kOne = 1,    // the same port, `first`, whatever the destination
    kSteps = 2,  // the next new mapping gets `first`, the one after it first + step, and so on
    kAnyOf = 3,  // each gets some port from `first` to `last`
  };

  Kind kind = Kind::kAnyOf;
  std::uint16_t first = 1024;
  std::uint16_t last = 65535;
  std::int16_t step = 0;

  // How many ports there are to guess among.
  [[nodiscard]] unsigned ports() const noexcept { return unsigned{last} - first + 1; }
  // "one port", "steps of 2", "any of 2048 ports".
  [[nodiscard]] std::string to_string() const;

  friend bool operator==(const PortModel&, const PortModel&) = default;
};

// Whoever counts on beyond the last port goes on at 1024, as NATs do.
[[nodiscard]] constexpr std::uint16_t wrapped_port(int number) noexcept {
  constexpr int kFirst = 1024;
  constexpr int kPorts = 65536 - kFirst;
  const int rest = (number - kFirst) % kPorts;
  return static_cast<std::uint16_t>(kFirst + (rest < 0 ? rest + kPorts : rest));
}

// No NAT steps further from one mapping to the next than this, unless others use it, too.
inline constexpr int kLongestStep = 64;
// From the outside ports of mappings that were made one after another; nothing where one of them
// was not learnt. Nothing: too few are known, fewer than eight.
[[nodiscard]] std::optional<PortModel> port_model_of(
    std::span<const std::optional<std::uint16_t>> samples);

}  // namespace ipop::overlay
