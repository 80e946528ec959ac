// What a configuration means to the daemon's parts: plain translations, without side effects.
#pragma once

#include <expected>
#include <string>
#include <vector>

#include "conf/config.hpp"
#include "engine/engine.hpp"
#include "engine/port/udp_port.hpp"
#include "kni/host_link.hpp"
#include "overlay/directory/opendht_directory.hpp"
#include "overlay/overlay.hpp"
#include "overlay/peer/peer.hpp"

namespace ipop::app {

// The largest UDP payload that an IPv6 link of 1,500 bytes carries, and what sealing adds to an
// inner packet: an inner packet of kAutoMtu bytes fits whatever family is underneath.
inline constexpr std::uint16_t kUdpPayload6 = 1452;
inline constexpr std::uint16_t kSealOverhead = 32;
inline constexpr std::uint16_t kAutoMtu = kUdpPayload6 - kSealOverhead;

// How many lcores the configuration asks for, or, of a machine with so many processors, is best.
[[nodiscard]] unsigned lcores(const conf::Config& config, unsigned processors);
[[nodiscard]] unsigned lcores(const conf::Config& config);  // of this one
[[nodiscard]] overlay::Lanes lanes(const conf::Config& config);
[[nodiscard]] std::vector<Prefix> inner_addresses(const conf::Config& config);
[[nodiscard]] kni::HostLinkSettings link_settings(const conf::Config& config);
[[nodiscard]] engine::EngineSettings engine_settings(const conf::Config& config);
[[nodiscard]] engine::UdpSettings wire_settings(const conf::Config& config);
[[nodiscard]] overlay::OpenDhtConfig directory_settings(const conf::Config& config,
                                                        const std::vector<Endpoint>& bound);
// The wire's port that the router is to forward, or why it is not asked.
[[nodiscard]] std::expected<std::uint16_t, std::string> port_to_map(
    const conf::Config& config, const std::vector<Endpoint>& bound);
[[nodiscard]] std::vector<overlay::StaticPeer> static_peers(const conf::Config& config);
[[nodiscard]] overlay::RelaySettings relay_settings(const conf::Config& config);
[[nodiscard]] overlay::GuessingEffort guessing_effort(const conf::Config& config);
// A bit per AeadSuite. Throws std::runtime_error if the configuration insists on one that this
// machine has not.
[[nodiscard]] std::uint8_t suites(const conf::Config& config, std::uint8_t available);

}  // namespace ipop::app
