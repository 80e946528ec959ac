#include "perf/pps/memif_wire.hpp"

#include <rte_alarm.h>
#include <rte_dev.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

namespace ipop::perf {

using namespace ipop::engine;

namespace {

constexpr std::uint16_t kFrames = 1024;
constexpr std::chrono::seconds kPatience(10);

bool is_up(std::uint16_t port) {
  rte_eth_link link{};
  return rte_eth_link_get_nowait(port, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

void must(int status, const char* what) {
  if (status != 0) throw std::runtime_error(std::string("net_memif: ") + what);
}

// What EAL's interrupt thread has before it is done.
void await_eal_thread() {
  std::atomic<bool> passed{false};
  const auto pass = [](void* flag) { static_cast<std::atomic<bool>*>(flag)->store(true); };
  if (rte_eal_alarm_set(1, pass, &passed) != 0) return;
  while (!passed)
    std::this_thread::yield();
}

std::filesystem::path new_folder() {
  std::string folder = std::filesystem::temp_directory_path() / "ipop-pps-XXXXXX";
  if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no folder for a socket");
  return folder;
}

}  // namespace

MemifWire::MemifWire() : folder_(new_folder()) {
  static std::atomic<unsigned> made{0};
  const std::string number = std::to_string(made++);
  const std::string rest =
      ",socket-abstract=no,socket=" + (folder_ / "memif.sock").string() + ",role=";
  const std::string far = "net_memif_far" + number;
  must(rte_dev_probe((far + rest + "server").c_str()), "it makes no server");
  must(rte_eth_dev_get_port_by_name(far.c_str(), &far_), "its server has no port");
  open("net_memif_wire" + number + rest + "client");
}

MemifWire::~MemifWire() {
  close();
  // The server hears of it on EAL's thread, and would be closed twice at once.
  const auto until = std::chrono::steady_clock::now() + kPatience;
  while (is_up(far_) && std::chrono::steady_clock::now() < until)
    std::this_thread::yield();
  await_eal_thread();
  rte_eth_dev_info info{};
  rte_device* const server = rte_eth_dev_info_get(far_, &info) == 0 ? info.device : nullptr;
  (void)rte_eth_dev_stop(far_);
  (void)rte_eth_dev_close(far_);
  if (server != nullptr) (void)rte_dev_remove(server);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

// First: a client that connects to a server that has no queues yet finds none.
void MemifWire::start_far_end(rte_mempool* pool) {
  const rte_eth_conf conf{};
  must(rte_eth_dev_configure(far_, 1, 1, &conf), "its server cannot be configured");
  must(rte_eth_rx_queue_setup(far_, 0, kFrames, SOCKET_ID_ANY, nullptr, pool), "no receive queue");
  must(rte_eth_tx_queue_setup(far_, 0, kFrames, SOCKET_ID_ANY, nullptr), "no transmit queue");
  must(rte_eth_dev_start(far_), "its server does not start");
}

void MemifWire::await_link(rte_mempool* pool) {
  const auto until = std::chrono::steady_clock::now() + kPatience;
  rte_mbuf* none[kBurst];
  // A client offers the server buffers when it is polled.
  do {
    if (std::chrono::steady_clock::now() > until) {
      throw std::runtime_error("net_memif: client and server do not meet");
    }
    std::this_thread::yield();
    rte_pktmbuf_free_bulk(none, port().rx_burst({pool}, none));
  } while (!is_up(far_) || !is_up(device().id()));
  rte_pktmbuf_free_bulk(none, port().rx_burst({pool}, none));
}

std::uint16_t MemifWire::take_frames(std::span<rte_mbuf*> into) noexcept {
  return rte_eth_rx_burst(far_, 0, into.data(),
                          static_cast<std::uint16_t>(std::min<std::size_t>(into.size(), kBurst)));
}

void MemifWire::give_frames(std::span<rte_mbuf* const> frames) noexcept {
  // The driver's call takes them without const, and changes none.
  auto* const first = const_cast<rte_mbuf**>(frames.data());
  const auto count = static_cast<std::uint16_t>(frames.size());
  const std::uint16_t taken = rte_eth_tx_burst(far_, 0, first, count);
  rte_pktmbuf_free_bulk(first + taken, count - taken);
}

}  // namespace ipop::perf
