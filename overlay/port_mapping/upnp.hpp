// UPnP (IGD) towards the router of the default route, and nobody else: of those who answer a
// search only the router counts, and its host is put in the place of whatever its addresses name.
// Written here because libminiupnpc bounds neither how long an answer takes nor how much memory it
// fills. Blocks, for kSearchTime and then at most kCallTime a call. The port mapper's thread.
#pragma once

#include "overlay/port_mapping/mapping_protocol.hpp"
#include "overlay/port_mapping/patience.hpp"
#include "overlay/port_mapping/upnp_message.hpp"

namespace ipop::overlay {

class Upnp final : public MappingProtocol {
 public:
  static constexpr Duration kSearchTime = std::chrono::milliseconds(1500);
  static constexpr Duration kCallTime = std::chrono::seconds(4);

  // `stop` must outlive this.
  explicit Upnp(const StopSignal& stop, std::uint16_t search_port = upnp::kSearchPort)
      : stop_(stop), search_port_(search_port) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "upnp"; }
  [[nodiscard]] Duration usual_life() const noexcept override { return std::chrono::hours(1); }
  [[nodiscard]] std::expected<Grant, MapFailure> map(const MapRequest& request) override;
  [[nodiscard]] std::expected<std::optional<IpAddress>, MapFailure> check(
      const MapRequest& request) override;
  void unmap(const MapRequest& request) override;

 private:
  struct Gateway {
    IpAddress address;
    std::uint16_t port = 0;
    upnp::Service service;
    IpAddress outside;
  };

  // False: there is no gateway, or it says nothing useful.
  [[nodiscard]] bool discover(const IpAddress& gateway);
  // Where it keeps its description; an empty path if it does not say.
  [[nodiscard]] http::Target search(const IpAddress& gateway) const;
  [[nodiscard]] bool choose(const IpAddress& gateway, const http::Target& description);
  [[nodiscard]] std::expected<IpAddress, MapFailure> ask_outside(const Gateway& gateway) const;
  [[nodiscard]] std::expected<http::Answer, MapFailure> call(const Gateway& gateway,
                                                             std::string_view action,
                                                             const upnp::Arguments& arguments,
                                                             const Patience& patience) const;

  const StopSignal& stop_;
  const std::uint16_t search_port_;
  std::optional<Gateway> gateway_;  // known since it answered last
};

}  // namespace ipop::overlay
