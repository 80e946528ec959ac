// NAT-PMP (RFC 6886) towards the router of the default route: one datagram, one answer. What
// others send does not count. Blocks: at most kPatience for each of two questions. The port
// mapper's thread.
#pragma once

#include "overlay/port_mapping/mapping_protocol.hpp"
#include "overlay/port_mapping/nat_pmp_message.hpp"
#include "overlay/port_mapping/patience.hpp"

namespace ipop::overlay {

class NatPmp final : public MappingProtocol {
 public:
  static constexpr Duration kPatience = std::chrono::milliseconds(1750);

  // `stop` must outlive this.
  explicit NatPmp(const StopSignal& stop, std::uint16_t port = nat_pmp::kPort)
      : stop_(stop), port_(port) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "nat-pmp"; }
  // What RFC 6886 §3.3 recommends.
  [[nodiscard]] Duration usual_life() const noexcept override { return std::chrono::hours(2); }
  [[nodiscard]] std::expected<Grant, MapFailure> map(const MapRequest& request) override;
  [[nodiscard]] std::expected<std::optional<IpAddress>, MapFailure> check(
      const MapRequest& request) override;
  void unmap(const MapRequest& request) override;

 private:
  [[nodiscard]] std::expected<nat_pmp::AddressAnswer, MapFailure> ask_address(
      const IpAddress& gateway) const;

  const StopSignal& stop_;
  const std::uint16_t port_;
  nat_pmp::Epoch epoch_;
};

}  // namespace ipop::overlay
