// OpenDHT's socket over our own port: what the DHT sends goes to a function. Receiving is not its
// matter: datagrams are handed to dht::Dht directly, so neither OpenDHT's receive queue nor its
// rule that drops datagrams older than 650 ms is in the way. Overlay thread.
#pragma once

#include <opendht/network_utils.h>

#include <cstdint>
#include <functional>

#include "base/ip.hpp"

namespace ipop::overlay {

[[nodiscard]] dht::SockAddr to_dht(const Endpoint& endpoint);
[[nodiscard]] Endpoint from_dht(const dht::SockAddr& address);

class DhtSocket final : public dht::net::DatagramSocket {
 public:
  // Called while the DHT is at work: must not call back into it.
  using Send = std::function<void(const Endpoint& to, ByteView datagram)>;

  DhtSocket(Send send, bool ipv4, bool ipv6);

  int sendTo(const dht::SockAddr& to, const std::uint8_t* data, std::size_t size,
             bool replied) override;
  [[nodiscard]] bool hasIPv4() const override { return ipv4_; }
  [[nodiscard]] bool hasIPv6() const override { return ipv6_; }
  [[nodiscard]] const dht::SockAddr& getBoundRef(sa_family_t family) const override;
  void stop() override {}

  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }

 private:
  Send send_;
  bool ipv4_;
  bool ipv6_;
  std::uint64_t sent_ = 0;
  dht::SockAddr bound4_;
  dht::SockAddr bound6_;
};

}  // namespace ipop::overlay
