#include "app/wire.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "app/daemon_parts.hpp"
#include "app/kernel_interface.hpp"
#include "engine/port/device_name.hpp"
#include "engine/port/ethdev_port.hpp"
#include "engine/port/udp_port.hpp"
#include "overlay/local_addresses.hpp"

namespace ipop::app {
namespace {

Wire make_socket_wire(const conf::Config& config) {
  auto port = std::make_unique<engine::UdpPort>(wire_settings(config));
  Wire wire{
      .name = "socket",
      .addresses = [except = config.interface.name] { return overlay::local_addresses(except); },
      .mtu_towards = overlay::link_mtu_towards};
  wire.bound = port->bound();
  engine::UdpPort& first = *port;
  wire.ports.push_back(std::move(port));
  for (unsigned i = 1; i < lcores(config); ++i)
    wire.ports.push_back(first.further_queue());
  return wire;
}

// As the file says, or else as the kernel's interface has them.
void find_addresses(const conf::Wire& from, engine::EthdevPortSettings& into) {
  for (const auto& address : {from.address, from.address6})
    if (address) into.addresses.push_back(*address);
  for (const auto& gateway : {from.gateway, from.gateway6})
    if (gateway) into.gateways.push_back(*gateway);
  const std::string interface = engine::device_argument(from.device, "iface").value_or("");
  const KernelInterface kernel = read_kernel_interface(interface);
  if (into.addresses.empty()) {
    into.addresses = kernel.addresses;
    into.gateways = kernel.gateways;
    if (into.addresses.empty()) {
      throw std::runtime_error("wire.device " + from.device + ": interface " + interface +
                               " has no address; give it one, or set wire.address");
    }
  }
  // A packet socket shows the kernel all that it shows us.
  const bool kernel_sees = from.device.starts_with("net_af_packet");
  into.beside_kernel = kernel_sees && std::ranges::any_of(kernel.addresses, [&](const Prefix& one) {
                         return std::ranges::any_of(into.addresses, [&](const Prefix& own) {
                           return own.address == one.address;
                         });
                       });
}

Wire make_dpdk_wire(const conf::Config& config, const engine::EngineSettings& settings) {
  engine::EthdevPortSettings port_settings{
      .device = {.device = config.wire.device,
                 .mtu = config.wire.mtu,
                 .queues = static_cast<std::uint16_t>(lcores(config))},
      .addresses = {},
      .gateways = {},
      .vlan = config.wire.vlan,
      .port = config.overlay.listen.front().port};
  find_addresses(config.wire, port_settings);
  // What is not listened to is no address of ours.
  std::erase_if(port_settings.addresses, [&](const Prefix& own) {
    return std::ranges::none_of(config.overlay.listen, [&](const Endpoint& at) {
      const bool same_family = at.address.is_v4() == own.address.is_v4();
      return same_family && (at.address.is_unspecified() || at.address == own.address);
    });
  });
  if (port_settings.addresses.empty()) {
    throw std::runtime_error("overlay.listen names none of the addresses that the wire has");
  }
  engine::start_eal_for(settings);
  auto port = std::make_unique<engine::EthdevPort>(port_settings);
  Wire wire{.name = port->device().driver(),
            .addresses = [addresses = port_settings.addresses] { return addresses; },
            .mtu_towards = [mtu = config.wire.mtu](const Endpoint&) { return mtu; },
            .is_kernels = false};
  wire.bound = port->bound();
  engine::EthdevPort& first = *port;
  wire.ports.push_back(std::move(port));
  for (unsigned i = 1; i < lcores(config); ++i)
    wire.ports.push_back(first.further_queue());
  return wire;
}

}  // namespace

Wire make_wire(const conf::Config& config, const engine::EngineSettings& settings) {
  return config.wire.backend == conf::WireBackend::kDpdk ? make_dpdk_wire(config, settings)
                                                         : make_socket_wire(config);
}

}  // namespace ipop::app
