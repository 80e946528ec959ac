#include "engine/port/ethdev_device.hpp"

#include <net/if.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

#include "engine/port/device_name.hpp"

namespace ipop::engine {
namespace {

using namespace std::chrono_literals;

constexpr auto kServersPatience = 500ms;
constexpr std::uint64_t kWantedRx = RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM;
// What tells one flow of datagrams from another.
constexpr std::uint64_t kFlows = RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP;
constexpr std::uint64_t kWantedTx = RTE_ETH_TX_OFFLOAD_IPV4_CKSUM | RTE_ETH_TX_OFFLOAD_UDP_CKSUM;

// Some drivers say only how long a frame may be.
std::uint32_t largest_mtu(const rte_eth_dev_info& info) noexcept {
  constexpr std::uint32_t kAround = RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN;
  if (info.max_mtu != 0 && info.max_mtu != UINT16_MAX) return info.max_mtu;
  return info.max_rx_pktlen > kAround ? info.max_rx_pktlen - kAround : UINT16_MAX;
}

// All of this process.
std::set<int> open_files() {
  std::set<int> files;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", ignored))
    files.insert(std::atoi(entry.path().filename().c_str()));
  return files;
}

// The kernel pulls a card out of vfio only when its program lets go of it, and so asks for that.
void on_device_event(const char*, rte_dev_event_type event, void* is_wanted_back) {
  if (event == RTE_DEV_EVENT_REMOVE)
    static_cast<std::atomic<bool>*>(is_wanted_back)->store(true, std::memory_order_relaxed);
}

// Drivers do not say which sockets they read; but those are the only ones of these kinds.
bool is_packet_socket(int file) noexcept {
  int domain = 0;
  socklen_t size = sizeof domain;
  return getsockopt(file, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
         (domain == AF_PACKET || domain == AF_XDP);
}

}  // namespace

void EthdevDevice::fail_with(const std::string& what, int error) const {
  std::string text = "wire.device " + settings_.device + ": " + what;
  if (error != 0) text += std::string(" (") + rte_strerror(std::abs(error)) + ")";
  throw std::runtime_error(text);
}

EthdevDevice::EthdevDevice(EthdevSettings settings)
    : settings_(std::move(settings)), others_(open_files()) {
  settings_.device = with_queues(settings_.device, settings_.queues);
  try {
    find();
    learn();
    watch();
  } catch (...) {
    close();
    throw;
  }
}

void EthdevDevice::learn() {
  interface_ = device_argument(settings_.device, "iface").value_or("");
  interface_index_ = if_nametoindex(interface_.c_str());
  rte_eth_dev_info info{};
  rte_ether_addr address{};
  if (const int error = rte_eth_dev_info_get(id_, &info); error != 0) {
    fail_with("its driver does not say what it is", error);
  }
  if (const int error = rte_eth_macaddr_get(id_, &address); error != 0) {
    fail_with("it has no Ethernet address", error);
  }
  mac_ = MacAddress::at(address.addr_bytes);
  driver_ = info.driver_name;
  partial_checksums_ = driver_ == "net_af_packet" || driver_ == "net_af_xdp" ||
                       driver_ == "net_virtio_user" || driver_ == "net_pcap";
  const std::string role = device_argument(settings_.device, "role").value_or("client");
  is_memif_client_ = driver_ == "net_memif" && (role == "client" || role == "slave");
}

void EthdevDevice::watch() {
  const std::string name = device_name(settings_.device);
  if (const int error =
          rte_dev_event_callback_register(name.c_str(), on_device_event, &is_wanted_back_);
      error != 0) {
    fail_with("nobody can tell when it goes", error);
  }
}

void EthdevDevice::close() noexcept {
  // While EAL's thread is in the middle of a call, it is to be asked again.
  while (rte_dev_event_callback_unregister(device_name(settings_.device).c_str(), on_device_event,
                                           &is_wanted_back_) == -EAGAIN) {
    std::this_thread::yield();
  }
  stop();
  if (!ours_) return;
  rte_eth_dev_info info{};
  rte_device* const device = rte_eth_dev_info_get(id_, &info) == 0 ? info.device : nullptr;
  (void)rte_eth_dev_close(id_);
  if (device != nullptr) (void)rte_dev_remove(device);
}

void EthdevDevice::find() {
  const std::string name = device_name(settings_.device);
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id_) == 0) {
    ours_ = is_pci_address(name);  // EAL found it, for us alone
    return;
  }
  if (const std::string why = why_not_usable(settings_.device); !why.empty()) fail_with(why, 0);
  if (rte_eal_has_hugepages() == 0 && needs_huge_pages(settings_.device)) {
    fail_with(std::string(kHugePagesAreMissing), 0);
  }
  if (const int error = rte_dev_probe(settings_.device.c_str()); error != 0) {
    fail_with("its driver does not start; what it says stands above", error);
  }
  if (rte_eth_dev_get_port_by_name(name.c_str(), &id_) != 0) {
    fail_with("no driver of this build takes it", 0);
  }
  ours_ = true;
}

void EthdevDevice::start(rte_mempool* pool) {
  // Interrupts are a matter of real cards: of virtual devices none has them, and those that say so
  // mean something else.
  const bool on_pci = is_pci_address(device_name(settings_.device));
  configure(pool, on_pci);
  if (const int error = rte_eth_dev_start(id_); error != 0) {
    if (!on_pci) fail_with("it does not start", error);
    configure(pool, false);
    if (const int again = rte_eth_dev_start(id_); again != 0) fail_with("it does not start", again);
  } else if (on_pci) {
    for (std::uint16_t queue = 0; queue < settings_.queues; ++queue)
      interrupt_fds_.push_back(rte_eth_dev_rx_intr_ctl_q_get_fd(id_, queue));
  }
  started_ = true;
  if (is_memif_client_) await_server();
  for (const int file : open_files()) {
    if (!others_.contains(file) && is_packet_socket(file)) sockets_.push_back(file);
  }
  // Neighbours ask by multicast, of IPv6. Drivers that know no filter take all.
  (void)rte_eth_allmulticast_enable(id_);
}

void EthdevDevice::configure(rte_mempool* pool, bool interrupts) {
  rte_eth_dev_info info{};
  if (const int error = rte_eth_dev_info_get(id_, &info); error != 0)
    fail_with("it is gone", error);
  if (const std::uint32_t most = largest_mtu(info); settings_.mtu > most) {
    fail_with("wire.mtu is " + std::to_string(settings_.mtu) + ", and it takes " +
                  std::to_string(most) + " at most",
              0);
  }
  must_have_queues(info);
  rte_eth_conf conf{};
  conf.rxmode.mtu = settings_.mtu;
  conf.rxmode.offloads = kWantedRx & info.rx_offload_capa;
  conf.txmode.offloads = kWantedTx & info.tx_offload_capa;
  // All that is sent comes from one pool, and nobody else holds it.
  conf.txmode.offloads |= RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE & info.tx_offload_capa;
  if (settings_.queues > 1 && (info.flow_type_rss_offloads & kFlows) != 0) {
    conf.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
    conf.rx_adv_conf.rss_conf.rss_hf = info.flow_type_rss_offloads & kFlows;
  }
  conf.intr_conf.rxq = interrupts ? 1 : 0;
  offloads_ = {.rx_ip_checksum = (conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM) != 0,
               .rx_udp_checksum = (conf.rxmode.offloads & RTE_ETH_RX_OFFLOAD_UDP_CKSUM) != 0,
               .tx_ip_checksum = (conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_IPV4_CKSUM) != 0,
               .tx_udp_checksum = (conf.txmode.offloads & RTE_ETH_TX_OFFLOAD_UDP_CKSUM) != 0};
  const int error = rte_eth_dev_configure(id_, settings_.queues, settings_.queues, &conf);
  if (error != 0) fail_with("it cannot be configured", error);
  set_up_queues(pool);
}

void EthdevDevice::set_up_queues(rte_mempool* pool) {
  std::uint16_t rx = settings_.rx_descriptors;
  std::uint16_t tx = settings_.tx_descriptors;
  int error = rte_eth_dev_adjust_nb_rx_tx_desc(id_, &rx, &tx);
  if (error != 0) fail_with("it has no room for queues", error);
  const auto socket = static_cast<unsigned>(std::max(0, rte_eth_dev_socket_id(id_)));
  for (std::uint16_t queue = 0; queue < settings_.queues; ++queue) {
    error = rte_eth_rx_queue_setup(id_, queue, rx, socket, nullptr, pool);
    if (error != 0) fail_with("its receive queue cannot be set up", error);
    error = rte_eth_tx_queue_setup(id_, queue, tx, socket, nullptr);
    if (error != 0) fail_with("its transmit queue cannot be set up", error);
  }
}

void EthdevDevice::must_have_queues(const rte_eth_dev_info& info) const {
  const unsigned has = std::min(info.max_rx_queues, info.max_tx_queues);
  if (has < settings_.queues) {
    fail_with("engine.lcores is " + std::to_string(settings_.queues) + ", and it has " +
                  std::to_string(has) + (has == 1 ? " queue" : " queues"),
              0);
  }
  // What it spreads over further ones would be read by nobody.
  const auto asked = queue_argument(settings_.device);
  if (asked && *asked != settings_.queues) {
    fail_with("its text asks for " + std::to_string(*asked) + " queues, and engine.lcores is " +
                  std::to_string(settings_.queues) + "; leave that out",
              0);
  }
}

bool EthdevDevice::has_link() const noexcept {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(id_, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

// It answers on EAL's thread, and usually at once.
void EthdevDevice::await_server() const noexcept {
  for (auto waited = 0ms; waited < kServersPatience && !has_link(); waited += 1ms)
    std::this_thread::sleep_for(1ms);
  had_link_.store(has_link(), std::memory_order_relaxed);
}

// The driver of memif connects a client once, when it is started, and never again.
bool EthdevDevice::lost_its_server() const noexcept {
  if (!is_memif_client_) return false;
  const bool up = has_link();
  if (up) had_link_.store(true, std::memory_order_relaxed);
  return !up && had_link_.load(std::memory_order_relaxed);
}

bool EthdevDevice::is_gone() const noexcept {
  if (is_wanted_back_.load(std::memory_order_relaxed) || lost_its_server()) return true;
  if (interface_index_ != 0 && if_nametoindex(interface_.c_str()) != interface_index_) return true;
  return rte_eth_dev_is_removed(id_) != 0;
}

void EthdevDevice::stop() noexcept {
  if (!std::exchange(started_, false)) return;
  (void)rte_eth_dev_stop(id_);
}

}  // namespace ipop::engine
