// One port of DPDK's, from its name to its queues: found or made, set up, started, and at the end
// given back. Start-up thread, but for what is said.
#pragma once

#include <rte_dev.h>
#include <rte_mempool.h>

#include <atomic>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/mac_address.hpp"

struct rte_eth_dev_info;

namespace ipop::engine {

// What the card does for us.
struct EthdevOffloads {
  bool rx_ip_checksum = false;
  bool rx_udp_checksum = false;
  bool tx_ip_checksum = false;
  bool tx_udp_checksum = false;
};

struct EthdevSettings {
  // A PCI address, "0000:00:05.0", or a virtual device with its arguments,
  // "net_af_packet0,iface=eth0".
  std::string device;
  std::uint16_t mtu = 1500;  // bytes of an IP packet
  std::uint16_t rx_descriptors = 1024;
  std::uint16_t tx_descriptors = 1024;
  std::uint16_t queues = 1;  // of each direction; the card spreads flows over those that receive
};

class EthdevDevice {
 public:
  // EAL must run, with the PCI bus if the device is on it. Throws std::runtime_error with what to
  // do about it.
  explicit EthdevDevice(EthdevSettings settings);
  ~EthdevDevice() { close(); }
  EthdevDevice(const EthdevDevice&) = delete;
  EthdevDevice& operator=(const EthdevDevice&) = delete;

  // Once: sets up its queues, whose buffers come from `pool`, and starts it. Throws
  // std::runtime_error.
  void start(rte_mempool* pool);
  // Gives back the buffers that it holds. Any thread, when no other uses its queues.
  void stop() noexcept;

  [[nodiscard]] std::uint16_t id() const noexcept { return id_; }
  [[nodiscard]] const MacAddress& mac() const noexcept { return mac_; }
  [[nodiscard]] const std::string& driver() const noexcept { return driver_; }
  [[nodiscard]] const EthdevOffloads& offloads() const noexcept { return offloads_; }
  // Readable when something came to this queue, once interrupts are asked for; -1: the driver has
  // none.
  [[nodiscard]] int interrupt_fd(std::uint16_t queue) const noexcept {
    return queue < interrupt_fds_.size() ? interrupt_fds_[queue] : -1;
  }
  // Sockets that the driver reads by memory it shares with the kernel: readable while there is
  // something in this queue. Once it is started; empty if it has none.
  [[nodiscard]] std::span<const int> sockets(std::uint16_t queue) const noexcept {
    const std::span<const int> all(sockets_);
    return sockets_.size() == settings_.queues ? all.subspan(queue, 1) : all;
  }
  // The card was pulled out, the interface beneath it deleted, or the server of a memif client has
  // ended. Any thread.
  [[nodiscard]] bool is_gone() const noexcept;
  // Packets come from a kernel on this machine, which leaves their checksums to a card that is not
  // there.
  [[nodiscard]] bool has_partial_checksums() const noexcept { return partial_checksums_; }

 private:
  void find();
  void learn();
  // From here on, EAL's interrupt thread tells when the card is to go.
  void watch();
  void close() noexcept;
  [[nodiscard]] bool lost_its_server() const noexcept;
  [[nodiscard]] bool has_link() const noexcept;
  void await_server() const noexcept;
  void must_have_queues(const rte_eth_dev_info& info) const;
  void configure(rte_mempool* pool, bool interrupts);
  void set_up_queues(rte_mempool* pool);
  [[noreturn]] void fail_with(const std::string& what, int error) const;

  EthdevSettings settings_;
  std::atomic<bool> is_wanted_back_{false};  // EAL's interrupt thread: w, any: r
  std::set<int> others_;                     // file descriptors that were there before the driver
  std::uint16_t id_ = 0;
  MacAddress mac_;
  std::string driver_;
  EthdevOffloads offloads_;
  std::string interface_;         // beneath it; empty if there is none
  unsigned interface_index_ = 0;  // when it was found
  bool is_memif_client_ = false;
  mutable std::atomic<bool> had_link_{false};  // any: rw
  std::vector<int> interrupt_fds_;             // by queue
  std::vector<int> sockets_;  // in the order in which the driver opened them: that of queues
  bool partial_checksums_ = false;
  bool ours_ = false;  // made here, so taken away here
  bool started_ = false;
};

}  // namespace ipop::engine
