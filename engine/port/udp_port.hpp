// The wire as UDP sockets: one per listen address (an IPv4 one, an IPv6 one), all with one port
// number, opened at start-up, and others with ports of their own while they are needed. Polled by
// the one lcore that owns it. For several lcores there are several, whose sockets share the port:
// the kernel gives each flow to one of them. What is for the overlay comes to the first of them, by
// sockets that share the port, too.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/port/further_sockets.hpp"
#include "engine/port/lane_sockets.hpp"
#include "engine/port/overlay_sockets.hpp"
#include "engine/port/port.hpp"
#include "engine/port/udp_channel.hpp"

namespace ipop::engine {

struct UdpSettings {
  // One IPv4 and/or one IPv6 address, the same port in both; port 0 = the kernel chooses.
  std::vector<Endpoint> listen;
  // A machine without IPv6 (or IPv4) is served by the other family; false makes that an error.
  bool allow_missing_family = true;
  int buffer_bytes = 8 << 20;  // of the kernel, each way; less if the kernel allows less
  bool trains = true;          // UDP_SEGMENT and UDP_GRO, where the kernel has them
  bool shares_port = false;    // there will be further queues
  bool overlay_apart = true;   // OverlaySockets, where the kernel can choose so
  unsigned lane_ports = 0;     // lanes with a port of their own
};

class UdpPort final : public WirePort {
 public:
  // Throws std::runtime_error with what to do about it.
  explicit UdpPort(const UdpSettings& settings);
  ~UdpPort() override { release_buffers(); }
  UdpPort(const UdpPort&) = delete;
  UdpPort& operator=(const UdpPort&) = delete;

  // For another lcore, which receives flows of its own and sends by the same ports. This must share
  // its port, and outlive what is returned, which has no further sockets of its own to open. Throws
  // std::runtime_error.
  [[nodiscard]] std::unique_ptr<UdpPort> further_queue();

  // Where it listens, with the real port number.
  [[nodiscard]] const std::vector<Endpoint>& bound() const noexcept { return bound_; }
  [[nodiscard]] std::uint16_t port() const noexcept { return bound_.front().port; }

  std::uint16_t rx_burst(const PacketPools& pools, std::span<rte_mbuf*> into) noexcept override;
  void tx_burst(std::span<rte_mbuf*> datagrams, std::uint32_t& sent,
                std::uint32_t& refused) noexcept override;
  void release_buffers() noexcept override;
  std::size_t wait_fds(std::span<int, kMaxWaitFds> into) const noexcept override;
  [[nodiscard]] bool arm() noexcept override;
  [[nodiscard]] Duration longest_sleep() const noexcept override;
  [[nodiscard]] WireEvents events() const noexcept override;
  [[nodiscard]] Result<std::uint16_t> open_socket() override;
  [[nodiscard]] std::move_only_function<void()> unlink_socket(std::uint16_t socket) override;
  [[nodiscard]] unsigned lane_ports() const noexcept override {
    return lanes_ ? lanes_->count() : 0;
  }

 private:
  struct Socket {
    UdpChannel channel;
    SpareBuffers spares;
  };

  // A socket that has been empty so often in a row is read only every kSkip turns: while the other
  // family is busy it would cost a system call each turn. Before the lcore sleeps all are waited
  // for.
  static constexpr std::uint32_t kPatient = 32;
  static constexpr std::uint32_t kSkip = 8;

  struct FurtherQueue {};
  UdpPort(FurtherQueue, UdpPort& first);

  [[nodiscard]] bool open_all(const UdpSettings& settings);
  void set_overlay_apart();
  [[nodiscard]] bool choose_by_kind(unsigned data_sockets) noexcept;
  [[nodiscard]] std::size_t receive_data(const PacketPools& pools,
                                         std::span<rte_mbuf*> into) noexcept;
  void add_socket(Fd fd, const Endpoint& at);
  [[nodiscard]] UdpChannel* channel_for(const Endpoint& to) noexcept;

  UdpSettings settings_;
  std::vector<Socket> sockets_;
  std::vector<Endpoint> bound_;
  unsigned queues_ = 1;                    // of the first: those that share its port
  std::optional<OverlaySockets> overlay_;  // of the first
  std::optional<FurtherSockets> further_;  // IPv4 alone: nobody guesses ports behind IPv6
  std::optional<LaneSockets> lanes_;
  FurtherSockets* senders_ = nullptr;    // to send by: our own, or the first queue's
  LaneSockets* lane_senders_ = nullptr;  // as these
  std::size_t first_ = 0;                // the socket that is read first, in turns
  std::uint32_t turn_ = 0;
};

}  // namespace ipop::engine
