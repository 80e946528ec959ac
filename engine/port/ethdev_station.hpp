// A port of DPDK's as a station of its link: the device, our addresses there, the UDP ports that we
// listen to. All that the queues of one port, each with a lcore of its own, have in common.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "engine/net/link_stack.hpp"
#include "engine/net/neighbour_news.hpp"
#include "engine/port/ethdev_device.hpp"
#include "engine/port/port_numbers.hpp"
#include "engine/port/reserved_port.hpp"

namespace ipop::engine {

struct EthdevPortSettings {
  EthdevSettings device;
  // One IPv4 and/or one IPv6 address, each with its link's prefix.
  std::vector<Prefix> addresses;
  std::vector<IpAddress> gateways;
  std::uint16_t vlan = kNoVlan;
  // The kernel sees what comes, and has the same addresses: it answers for them, and must not say
  // that nobody listens to our ports.
  bool beside_kernel = false;
  std::uint16_t port = 0;  // UDP; 0 = chosen here
};

class EthdevStation {
 public:
  // EAL must run. Throws std::runtime_error with what to do about it.
  explicit EthdevStation(const EthdevPortSettings& settings);
  EthdevStation(const EthdevStation&) = delete;
  EthdevStation& operator=(const EthdevStation&) = delete;

  [[nodiscard]] const EthdevPortSettings& settings() const noexcept { return settings_; }
  [[nodiscard]] const EthdevDevice& device() const noexcept { return device_; }
  [[nodiscard]] const PortNumbers& ports() const noexcept { return ports_; }
  // Where it listens.
  [[nodiscard]] const std::vector<Endpoint>& bound() const noexcept { return bound_; }
  [[nodiscard]] LinkSettings link() const;

  // Start-up thread: the number of another queue. Throws std::runtime_error if there is none.
  [[nodiscard]] std::uint16_t take_queue();
  // Start-up thread, once: as EthdevDevice::start().
  void start(rte_mempool* pool) { device_.start(pool); }
  // Any thread: one of the queues that were taken will not be used again. The last one stops the
  // device.
  void leave_queue() noexcept;

  // Overlay thread. As WireSockets has them.
  [[nodiscard]] Result<std::uint16_t> open_socket();
  void close_socket(std::uint16_t socket);

  // What a queue heard of neighbours, for the others. Its lcore.
  void tell(std::uint16_t queue, const NeighbourNews& news) noexcept {
    if (logs_.empty()) return;
    logs_[queue].write(news);
    // Release: whoever sees this number finds that news.
    told_.fetch_add(1, std::memory_order_release);
  }

  // What a queue has read of the others.
  struct Reading {
    std::uint32_t told = 0;
    std::vector<std::uint32_t> places;  // by queue
  };
  [[nodiscard]] Reading begin_reading() const {
    return {.places = std::vector<std::uint32_t>(logs_.size())};
  }
  // Its lcore.
  [[nodiscard]] bool has_news(const Reading& reading) const noexcept {
    return told_.load(std::memory_order_acquire) != reading.told;
  }
  // Of the other queues.
  //   take(const NeighbourNews& news)
  template <typename Take>
  void read(std::uint16_t queue, Reading& reading, Take take) const noexcept {
    reading.told = told_.load(std::memory_order_acquire);
    for (std::size_t other = 0; other < logs_.size(); ++other)
      if (other != queue) logs_[other].read(reading.places[other], take);
  }

 private:
  // All of our addresses; nothing if the kernel has given one of them away.
  [[nodiscard]] std::optional<std::vector<ReservedPort>> reserve(std::uint16_t port) const;

  const EthdevPortSettings settings_;
  EthdevDevice device_;
  PortNumbers ports_;
  std::vector<Endpoint> bound_;
  // By socket. Overlay thread.
  std::map<std::uint16_t, std::vector<ReservedPort>> reserved_;
  std::uint16_t taken_ = 0;                         // queues
  std::atomic<std::uint16_t> in_use_{0};            // of those; any: rw
  std::vector<NeighbourLog> logs_;                  // by queue; none if there is but one
  alignas(64) std::atomic<std::uint32_t> told_{0};  // news in all logs; lcores: rw
};

}  // namespace ipop::engine
