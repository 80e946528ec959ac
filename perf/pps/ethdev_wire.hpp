// A wire of real frames: a port of DPDK's without a card, with all of the headers, the look-up of
// neighbours and the checks that a card's frames get. Behind it stands one gateway, which the
// measurement plays. What lies between the two is the matter of each kind: RingWire, MemifWire.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "engine/port/ethdev_port.hpp"

namespace ipop::perf {

class EthdevWire {
 public:
  static constexpr std::uint16_t kPort = 4545;
  // Ethernet, IPv4 and UDP.
  static constexpr std::uint16_t kHeaders = 14 + 20 + 8;

  virtual ~EthdevWire() = default;
  EthdevWire(const EthdevWire&) = delete;
  EthdevWire& operator=(const EthdevWire&) = delete;

  [[nodiscard]] engine::WirePort& port() noexcept { return *port_; }
  [[nodiscard]] const engine::EthdevDevice& device() const noexcept { return port_->device(); }
  // Starts it, and lets the gateway answer. Throws std::runtime_error.
  void attach(rte_mempool* pool);

  // As MemoryWire: the frames' headers are cut off, and put in front.
  [[nodiscard]] std::uint16_t take(std::span<rte_mbuf*> into) noexcept;
  void address(rte_mbuf* datagram, const Endpoint& from) const noexcept;
  void give(std::span<rte_mbuf* const> frames) noexcept { give_frames(frames); }

 protected:
  EthdevWire() = default;
  // `device`: as wire.device has it.
  void open(const std::string& device);
  void close() noexcept { port_.reset(); }

  // What the other end of the link does. Frames that left the port; and frames for it, which are
  // the link's from then on.
  [[nodiscard]] virtual std::uint16_t take_frames(std::span<rte_mbuf*> into) noexcept = 0;
  virtual void give_frames(std::span<rte_mbuf* const> frames) noexcept = 0;
  // Before the port is started; and after: returns when frames pass.
  virtual void start_far_end(rte_mempool*) {}
  virtual void await_link(rte_mempool*) {}

 private:
  [[nodiscard]] rte_mbuf* gateways_answer(rte_mempool* pool) const;

  std::unique_ptr<engine::EthdevPort> port_;
};

}  // namespace ipop::perf
