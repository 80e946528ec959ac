// The overlay thread's loop: waits for lcores' punts and for the time, and drives the overlay and
// the directory. The one place of the overlay that reads the clock.
#pragma once

#include <asio/io_context.hpp>
#include <asio/posix/stream_descriptor.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "engine/api/punt.hpp"
#include "overlay/address_watch.hpp"
#include "overlay/directory/opendht_directory.hpp"
#include "overlay/lan/lan_socket.hpp"
#include "overlay/nat/stun_servers.hpp"
#include "overlay/overlay.hpp"
#include "overlay/port_mapping/port_mapper.hpp"

namespace ipop::overlay {

class Loop {
 public:
  // All must outlive the loop. `interface`: the virtual one, whose addresses are not ours to offer.
  // `addresses`: those of the wire now, where peers may reach it.
  // `stun`: servers besides the directory's bootstrap nodes.
  Loop(asio::io_context& io, engine::PuntQueue& punts, OpenDhtDirectory& directory,
       Overlay& overlay, std::string interface, std::vector<conf::HostPort> stun,
       std::function<std::vector<Prefix>()> addresses);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // The router is asked to forward a port to this one of the wire; before start().
  void map_port(std::uint16_t port);
  // Members on the same links are looked for; before start().
  void discover_lan();
  // Starts the overlay; from then on all happens inside io.run().
  void start();
  // Says goodbye and stops waiting; io.run() then returns if nothing else keeps it. The router is
  // waited for by the destructor, for a second at most.
  void stop();
  // Something outside asked the overlay or the directory for work: look at the deadlines again.
  void kick();

 private:
  void wait_for_punts();
  void wait_for_time();
  void turn();
  void take_punts(Now now);
  void look_around(Now now);
  void on_network_change();

  asio::io_context& io_;
  engine::PuntQueue& punts_;
  OpenDhtDirectory& directory_;
  Overlay& overlay_;
  const std::string interface_;
  const std::function<std::vector<Prefix>()> addresses_;
  StunServers stun_;
  asio::posix::stream_descriptor punt_fd_;
  asio::steady_timer timer_;
  AddressWatch watch_;
  std::unique_ptr<PortMapper> mapper_;
  std::unique_ptr<LanSocket> lan_;
  Instant started_{};
  Instant last_look_{};
  Instant next_look_{};
  bool network_changed_ = false;
  bool has_stun_servers_ = false;
  bool stopping_ = false;
};

}  // namespace ipop::overlay
