// Keeps one UDP port mapped at the router: which protocol to try, which port, when to renew, when
// to look whether it is still there, when to ask again, and whether others may be told. The port
// mapper's thread; time is passed in, and all that touches a socket is behind MappingProtocol.
#pragma once

#include <span>
#include <vector>

#include "overlay/port_mapping/mapping_protocol.hpp"
#include "overlay/port_mapping/port_mapping.hpp"

namespace ipop::overlay {

class MappingKeeper {
 public:
  static constexpr Duration kFirstPause = std::chrono::minutes(1);  // after nobody answered
  static constexpr Duration kLongestPause = std::chrono::minutes(30);
  static constexpr Duration kShortestLife = std::chrono::seconds(4);
  static constexpr Duration kCheckEvery = std::chrono::minutes(1);
  static constexpr Duration kCheckAgain = std::chrono::seconds(10);
  static constexpr Duration kSoon = std::chrono::seconds(3);  // however often the network changes
  static constexpr unsigned kMostUnanswered = 6;              // checks, then it counts as gone
  static constexpr unsigned kOtherPorts = 4;                  // tried where ours is taken

  // The first protocol that works is used; they must outlive this.
  MappingKeeper(std::vector<MappingProtocol*> protocols, std::uint16_t port);

  // The network has changed, or may have: asks a new router at once; the same one, soon, whether it
  // still knows us, but no more often for it where it said nothing.
  void set_route(const std::optional<Route>& route, Instant now);
  // Does what is due.
  void service(Instant now);
  // When service() has something to do; Instant::max() if never.
  [[nodiscard]] Instant deadline() const noexcept { return due_; }
  // Gives the port back: at most MappingProtocol::kUnmapTime.
  void release();

  [[nodiscard]] const PortMapping& state() const noexcept { return state_; }

 private:
  struct Held {
    MappingProtocol* protocol = nullptr;
    MapRequest request;
    IpAddress outside;
    Instant renew_at{};    // Instant::max() if it has no end
    Instant expires_at{};  // likewise
    Instant checked{};     // the last time that it was known to be there
    Instant check_at{};
    unsigned unanswered = 0;
  };

  void ask(Instant now);
  [[nodiscard]] std::expected<Held, MapFailure> ask_by(MappingProtocol& protocol, Instant now);
  [[nodiscard]] std::expected<Grant, MapFailure> try_ports(MappingProtocol& protocol,
                                                           MapRequest& request) const;
  void renew(Instant now);
  void check(Instant now);
  void on_silence(Instant now);
  void lose(Instant now);
  static void begin_life(Held& held, Duration life, Instant now);
  void tell();

  const std::vector<MappingProtocol*> protocols_;
  const std::uint16_t port_;
  bool started_ = false;
  std::optional<Route> route_;
  std::optional<Held> held_;
  unsigned failures_ = 0;  // in a row
  Instant asked_{};
  Instant due_ = Instant::max();
  PortMapping state_;
};

// Why an endpoint that a router names cannot be where others reach us; empty if it can.
[[nodiscard]] std::string why_not_outside(const IpAddress& address);

}  // namespace ipop::overlay
