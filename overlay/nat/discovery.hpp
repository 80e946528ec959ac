// All that a node does to learn how it looks from outside, and to tell others how they look: asks
// STUN servers, listens to what peers see, answers requests. Overlay thread; time is passed in.
#pragma once

#include <functional>
#include <vector>

#include "engine/api/wire_sockets.hpp"
#include "overlay/nat/filtering.hpp"
#include "overlay/nat/mappings.hpp"
#include "overlay/nat/stun_client.hpp"
#include "overlay/nat/stun_server.hpp"

namespace ipop::overlay {

class NatDiscovery {
 public:
  // `on_change`: endpoints(), mapping(), is_open() or is_open_to_all() is another than before.
  // `sockets`: for what needs others than the one that everybody is told; nullptr: there are none.
  NatDiscovery(stun::Client::Send send, std::function<void(Instant now)> on_change,
               engine::WireSockets* sockets = nullptr);
  NatDiscovery(const NatDiscovery&) = delete;
  NatDiscovery& operator=(const NatDiscovery&) = delete;

  // Where we listen, by our own interfaces. If that is news, all that was learnt is forgotten.
  void set_local(std::vector<Endpoint> local, Instant now);
  void set_servers(const std::vector<Endpoint>& servers, Instant now);
  // Something may have changed: asks all servers at once, every two seconds at most.
  void ask_again(Instant now);
  void service(Instant now);
  [[nodiscard]] Instant deadline() const noexcept;
  // A datagram that is_message(). False if it is neither a request nor an answer to one of ours.
  [[nodiscard]] bool on_datagram(const Endpoint& source, ByteView datagram, Instant now);
  // What peers say changes something at most so often: each change is announced to all the others.
  static constexpr Duration kPeersChangeEvery = std::chrono::seconds(5);
  // A peer at `by` says, authenticated, that our datagrams come from `mapped`.
  void on_observed(const Endpoint& by, const Endpoint& mapped, Instant now);

  // No NAT hides us, in one family at least: a server sees us as we are, or we have a public
  // address and nobody says otherwise.
  [[nodiscard]] bool is_open() const;
  // Open in IPv4, and no server that we asked stays silent, as it would if a firewall let in only
  // some.
  [[nodiscard]] bool is_open_to_all() const;
  [[nodiscard]] const Mappings& mappings() const noexcept { return mappings_; }
  // What our NAT lets in, in IPv4.
  [[nodiscard]] NatFiltering filtering() const noexcept { return filtering_.filtering(); }
  [[nodiscard]] const stun::Client& client() const noexcept { return client_; }
  [[nodiscard]] const stun::Server& server() const noexcept { return server_; }

 private:
  [[nodiscard]] bool observe(Mappings::Observer kind, const Endpoint& by, const Endpoint& mapped,
                             Instant now);
  [[nodiscard]] bool is_open(bool v4) const;
  void tell_if_open_changed(Instant now);
  void discover_filtering(Instant now);
  void send(const stun::Server::Answer& answer, Instant now);

  engine::WireSockets* sockets_;
  stun::Client::Send send_;
  std::function<void(Instant)> on_change_;
  Mappings mappings_;
  stun::Client client_;
  stun::Server server_;
  FilteringDiscovery filtering_;
  std::optional<IpAddress>
      filtering_behind_;             // the outside address that it is known, or asked, for
  unsigned filtering_attempts_ = 0;  // for it
  Instant next_filtering_{};
  std::uint16_t other_socket_ = 0;  // that the server answers from when asked to; 0: none is open
  Instant other_socket_used_{};
  bool public_[2]{};  // an address of our own that is: IPv6, IPv4
  bool was_open_ = false;
  bool was_open_to_all_ = false;
  Instant asked_again_{};
  Instant peers_changed_{};
};

}  // namespace ipop::overlay
