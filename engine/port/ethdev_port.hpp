// The wire as a port of DPDK's: datagrams with their own Ethernet, IP and UDP headers, pushed in
// front of where they lie and cut off again, and what else a host owes its link. One queue, polled
// by the one lcore that owns it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "engine/net/link_stack.hpp"
#include "engine/net/plain_datagram.hpp"
#include "engine/owned_counter.hpp"
#include "engine/port/ethdev_device.hpp"
#include "engine/port/port.hpp"
#include "engine/port/port_numbers.hpp"
#include "engine/port/reserved_port.hpp"
#include "engine/port/waiting_datagrams.hpp"
#include "engine/port/way.hpp"

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

class EthdevPort final : public WirePort {
 public:
  // EAL must run. Throws std::runtime_error with what to do about it.
  explicit EthdevPort(const EthdevPortSettings& settings);
  ~EthdevPort() override { release_buffers(); }
  EthdevPort(const EthdevPort&) = delete;
  EthdevPort& operator=(const EthdevPort&) = delete;

  // Where it listens.
  [[nodiscard]] const std::vector<Endpoint>& bound() const noexcept { return bound_; }
  [[nodiscard]] const EthdevDevice& device() const noexcept { return device_; }

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
  [[nodiscard]] bool is_gone() const noexcept override { return device_.is_gone(); }
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

  // All of our addresses; nothing if the kernel has given one of them away.
  [[nodiscard]] std::optional<std::vector<ReservedPort>> reserve(std::uint16_t port) const;
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
  void send_waiting() noexcept;
  void count(WireEvent event, std::uint64_t times = 1) noexcept {
    events_[static_cast<std::size_t>(event)].add(times);
  }
  // Ahead of rx_burst(), which hands them out first.
  void receive_early() noexcept;
  [[nodiscard]] Way* way_for(const IpAddress& to) noexcept;
  void forget_neighbours() noexcept;

  EthdevDevice device_;
  PortNumbers ports_;
  LinkStack stack_;
  PlainDatagrams plain_;
  std::vector<Way> ways_;  // one for each address
  std::vector<Endpoint> bound_;
  const bool beside_kernel_;
  // By socket. Overlay thread.
  std::map<std::uint16_t, std::vector<ReservedPort>> reserved_;
  const std::uint16_t mtu_;
  rte_mempool* pool_ = nullptr;
  Instant now_{};
  WaitingDatagrams waiting_;
  bool announced_ = false;
  std::array<rte_mbuf*, kBurst> early_{};
  std::uint16_t early_count_ = 0;
  // Some drivers set up receive interrupts that never come; so they are believed once one has
  // announced a frame.
  bool interrupts_work_ = false;

  std::array<OwnedCounter, kWireEventCount> events_;
};

}  // namespace ipop::engine
