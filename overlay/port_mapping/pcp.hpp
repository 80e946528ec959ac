// The Port Control Protocol (RFC 6887) towards the router of the default route: one datagram, one
// answer. Blocks: at most kPatience for a question. The port mapper's thread.
#pragma once

#include "overlay/port_mapping/mapping_protocol.hpp"
#include "overlay/port_mapping/nat_pmp_message.hpp"
#include "overlay/port_mapping/patience.hpp"
#include "overlay/port_mapping/pcp_message.hpp"

namespace ipop::overlay {

class Pcp final : public MappingProtocol {
 public:
  static constexpr Duration kPatience = std::chrono::milliseconds(1750);

  // `stop` must outlive this.
  explicit Pcp(const StopSignal& stop, std::uint16_t port = pcp::kPort);

  [[nodiscard]] std::string_view name() const noexcept override { return "pcp"; }
  [[nodiscard]] Duration usual_life() const noexcept override { return std::chrono::hours(2); }
  [[nodiscard]] std::expected<Grant, MapFailure> map(const MapRequest& request) override;
  // Asks for the mapping again, which prolongs it.
  [[nodiscard]] std::expected<std::optional<IpAddress>, MapFailure> check(
      const MapRequest& request) override;
  void unmap(const MapRequest& request) override;

 private:
  [[nodiscard]] pcp::MapRequest question(const MapRequest& request) const;
  [[nodiscard]] std::expected<pcp::MapAnswer, MapFailure> ask(const MapRequest& request,
                                                              const Patience& patience) const;

  const StopSignal& stop_;
  const std::uint16_t port_;
  pcp::Nonce nonce_{};
  nat_pmp::Epoch epoch_;  // §8.5 has the same rule, but for a second
};

}  // namespace ipop::overlay
