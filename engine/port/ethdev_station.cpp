#include "engine/port/ethdev_station.hpp"

#include <random>
#include <stdexcept>
#include <string>
#include <utility>

namespace ipop::engine {
namespace {

std::uint16_t some_port() {
  std::random_device random;
  return static_cast<std::uint16_t>(32768 + random() % 16384);
}

}  // namespace

EthdevStation::EthdevStation(const EthdevPortSettings& settings)
    : settings_(settings),
      device_(settings.device),
      ports_(settings.port == 0 ? some_port() : settings.port),
      logs_(settings.device.queues > 1 ? settings.device.queues : 0) {
  if (settings.addresses.empty()) throw std::runtime_error("wire.address names no address");
  for (const Prefix& own : settings.addresses)
    bound_.push_back({own.address, ports_.main()});
  if (!settings.beside_kernel) return;
  auto reserved = reserve(ports_.main());
  if (!reserved) {
    throw std::runtime_error("UDP port " + std::to_string(ports_.main()) +
                             " is in use by another program on this machine");
  }
  reserved_.emplace(0, std::move(*reserved));
}

LinkSettings EthdevStation::link() const {
  return {.mac = device_.mac(),
          .vlan = settings_.vlan,
          .addresses = settings_.addresses,
          .gateways = settings_.gateways,
          .answers = !settings_.beside_kernel,
          .partial_checksums = device_.has_partial_checksums()};
}

std::uint16_t EthdevStation::take_queue() {
  if (taken_ == settings_.device.queues) {
    throw std::runtime_error("wire.device " + settings_.device.device + ": it was set up with " +
                             std::to_string(taken_) + " queues, and all have their lcores");
  }
  in_use_.fetch_add(1, std::memory_order_relaxed);
  return taken_++;
}

void EthdevStation::leave_queue() noexcept {
  // Both: what the others did with their queues comes before the end.
  if (in_use_.fetch_sub(1, std::memory_order_acq_rel) == 1) device_.stop();
}

std::optional<std::vector<ReservedPort>> EthdevStation::reserve(std::uint16_t port) const {
  std::vector<ReservedPort> reserved;
  for (const Endpoint& own : bound_) {
    auto one = ReservedPort::of({own.address, port});
    if (!one) return std::nullopt;
    reserved.push_back(std::move(*one));
  }
  return reserved;
}

Result<std::uint16_t> EthdevStation::open_socket() {
  constexpr int kAttempts = 8;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto socket = ports_.open();
    if (!socket || !settings_.beside_kernel) return socket;
    if (auto reserved = reserve(ports_.port_of(*socket))) {
      reserved_.emplace(*socket, std::move(*reserved));
      return socket;
    }
    ports_.close(*socket);
  }
  return fail("the kernel has no port free");
}

void EthdevStation::close_socket(std::uint16_t socket) {
  ports_.close(socket);
  reserved_.erase(socket);
}

}  // namespace ipop::engine
