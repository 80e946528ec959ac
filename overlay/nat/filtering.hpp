// What our NAT lets in (RFC 4787 §5), found out by RFC 5780's means: from a new socket one server
// is asked where it sees us. Then another server, which that socket has not sent to, is asked to
// answer there, and the first one to answer from another port. IPv4. Overlay thread; time is passed
// in.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "engine/api/wire_sockets.hpp"
#include "overlay/nat/stun_client.hpp"

namespace ipop::overlay {

enum class NatFiltering : std::uint8_t {
  kUnknown,
  kEndpointIndependent,      // anybody
  kAddressDependent,         // hosts that were sent to, from any port
  kAddressAndPortDependent,  // exactly what was sent to
};

// "unknown", "endpoint-independent", "address-dependent", "address- and port-dependent".
[[nodiscard]] const char* name(NatFiltering filtering) noexcept;

class FilteringDiscovery {
 public:
  static constexpr unsigned kTries = 5;
  static constexpr Duration kTryEvery = std::chrono::milliseconds(250);

  // Without sockets it stays unknown.
  FilteringDiscovery(engine::WireSockets* sockets, stun::Client::Send send)
      : sockets_(sockets), send_(std::move(send)) {}

  // Asks; two servers at different addresses, which answer us. What was known counts no longer.
  void start(const Endpoint& near, const Endpoint& other, Instant now);
  // It is known that there is no NAT, or nothing is known any more.
  void forget();
  [[nodiscard]] bool running() const noexcept { return step_ != Step::kIdle; }
  void service(Instant now);
  // A datagram that is_message(); false if it answers nothing that was asked here.
  [[nodiscard]] bool on_response(const Endpoint& source, ByteView datagram, Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;

  [[nodiscard]] NatFiltering filtering() const noexcept { return filtering_; }

 private:
  enum class Step : std::uint8_t { kIdle, kLearning, kAsking };

  void ask(Instant now);
  void conclude();
  void stop();

  engine::WireSockets* sockets_;
  stun::Client::Send send_;
  NatFiltering filtering_ = NatFiltering::kUnknown;
  Step step_ = Step::kIdle;
  std::uint16_t socket_ = 0;
  Endpoint near_;
  Endpoint other_;
  std::uint16_t outside_port_ = 0;  // of the socket, as the near server sees it
  stun::TransactionId learning_id_{};
  stun::TransactionId other_id_{};
  stun::TransactionId port_id_{};
  bool from_other_port_ = false;  // the near server's answer came from another port of it
  bool not_possible_ = false;     // a server does not do what it was asked
  unsigned tries_ = 0;
  Instant next_{};
};

}  // namespace ipop::overlay
