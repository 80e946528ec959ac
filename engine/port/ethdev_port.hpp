// The wire as a port of DPDK's: datagrams with their own Ethernet, IP and UDP headers, pushed in
// front of where they lie and cut off again, and what else a host owes its link. One queue of each
// direction, polled by the one lcore that owns it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "engine/net/link_stack.hpp"
#include "engine/net/plain_datagram.hpp"
#include "engine/owned_counter.hpp"
#include "engine/port/ethdev_station.hpp"
#include "engine/port/port.hpp"
#include "engine/port/waiting_datagrams.hpp"
#include "engine/port/way.hpp"

namespace ipop::engine {

class EthdevPort final : public WirePort {
 public:
  // EAL must run. The first queue of settings.device.queues; each of the others must be asked for
  // before the first is attached, since the card gives flows to all. Throws std::runtime_error with
  // what to do about it.
  explicit EthdevPort(const EthdevPortSettings& settings);
  ~EthdevPort() override { release_buffers(); }
  EthdevPort(const EthdevPort&) = delete;
  EthdevPort& operator=(const EthdevPort&) = delete;

  // For another lcore. Throws std::runtime_error.
  [[nodiscard]] std::unique_ptr<EthdevPort> further_queue();

  // Where it listens.
  [[nodiscard]] const std::vector<Endpoint>& bound() const noexcept { return station_->bound(); }
  [[nodiscard]] const EthdevDevice& device() const noexcept { return station_->device(); }

  void attach(const PacketPools& pools) override;
  std::uint16_t rx_burst(const PacketPools& pools, std::span<rte_mbuf*> into) noexcept override;
  void tx_burst(std::span<rte_mbuf*> datagrams, std::uint32_t& sent,
                std::uint32_t& refused) noexcept override;
  [[nodiscard]] bool takes_trains() const noexcept override { return false; }
  void release_buffers() noexcept override;
  std::size_t wait_fds(std::span<int, kMaxWaitFds> into) const noexcept override;
  void tick(Instant now) noexcept override;
  [[nodiscard]] bool arm() noexcept override;
  void disarm() noexcept override;
  [[nodiscard]] Duration longest_sleep() const noexcept override;
  [[nodiscard]] WireEvents events() const noexcept override;
  [[nodiscard]] bool is_gone() const noexcept override { return device().is_gone(); }
  [[nodiscard]] Result<std::uint16_t> open_socket() override;
  [[nodiscard]] std::move_only_function<void()> unlink_socket(std::uint16_t socket) override;
  [[nodiscard]] unsigned lane_ports() const noexcept override { return kMaxLanes - 1u; }

 private:
  // As long as a neighbour is asked for; and if another took its place meanwhile.
  static constexpr Duration kPatience = (Neighbours::kTries + 1) * Neighbours::kRetry;
  // Where the driver has nothing to wait for: how late the first packet after a pause may be seen.
  static constexpr Duration kLongestNap = std::chrono::milliseconds(2);
  // A full queue drains while one looks.
  static constexpr unsigned kTries = 64;

  explicit EthdevPort(std::shared_ptr<EthdevStation> station);

  // The one that speaks for all: answers to no question come to the others, as a card gives them
  // only flows.
  [[nodiscard]] bool is_first() const noexcept { return queue_ == 0; }
  // False, and the frame is done with, unless it is a datagram for us: then it starts at its
  // payload.
  [[nodiscard]] bool receive(rte_mbuf* frame) noexcept;
  [[nodiscard]] bool receive_other(rte_mbuf* frame, CardChecks checked) noexcept;
  // The datagram of a frame, to its payload; false if nobody listens to its port.
  [[nodiscard]] bool accept(rte_mbuf* frame, const PlainDatagram& datagram) noexcept;
  // Pushes the headers. False: it cannot be sent, which is counted.
  enum class Prepared : std::uint8_t { kReady, kWaits, kRefused };
  [[nodiscard]] Prepared prepare(rte_mbuf* datagram) noexcept;
  // Where to send a datagram by a way, if that is known; else what became of it.
  [[nodiscard]] Prepared find_neighbour(rte_mbuf* datagram, Way& way,
                                        const MacAddress*& mac) noexcept;
  void write_headers(rte_mbuf* datagram, const UdpHeaders& headers, const MacAddress& next_hop,
                     std::uint16_t source_port) noexcept;
  // Hands a train's datagrams to `put` one by one, each copied; returns how many found no buffer.
  template <typename Put>
  [[nodiscard]] std::uint32_t split(rte_mbuf* train, Put put) noexcept;
  // Returns how many the card took; the others are freed.
  std::uint32_t transmit(std::span<rte_mbuf*> frames) noexcept;
  void send_frame(ByteView frame) noexcept;
  void ask() noexcept;
  // What other queues heard.
  void hear_news() noexcept;
  void send_waiting() noexcept;
  void count(WireEvent event, std::uint64_t times = 1) noexcept {
    events_[static_cast<std::size_t>(event)].add(times);
  }
  // Ahead of rx_burst(), which hands them out first.
  void receive_early() noexcept;
  [[nodiscard]] Way* way_for(const IpAddress& to) noexcept;
  void forget_neighbours() noexcept;

  std::shared_ptr<EthdevStation> station_;
  const std::uint16_t queue_;
  const std::uint16_t device_id_;
  const std::uint16_t mtu_;
  const PortNumbers& ports_;
  const EthdevOffloads& card_;  // known once the device is started
  LinkStack stack_;
  PlainDatagrams plain_;
  std::vector<Way> ways_;  // one for each address
  EthdevStation::Reading reading_;
  rte_mempool* pool_ = nullptr;
  Instant now_{};
  WaitingDatagrams waiting_;
  bool announced_ = false;
  bool left_ = false;  // the queue
  std::array<rte_mbuf*, kBurst> early_{};
  std::uint16_t early_count_ = 0;
  // Some drivers set up receive interrupts that never come; so they are believed once one has
  // announced a frame.
  bool interrupts_work_ = false;

  std::array<OwnedCounter, kWireEventCount> events_;
};

}  // namespace ipop::engine
