// What every part of the overlay works with: the engine behind its seam, the directory, and who we
// are. References to things that outlive the overlay; overlay thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/api/forwarding_table.hpp"
#include "engine/api/inject.hpp"
#include "engine/api/wire_sockets.hpp"
#include "overlay/directory/directory.hpp"
#include "overlay/directory/node_record.hpp"
#include "overlay/handshake/noise.hpp"
#include "overlay/handshake/timers.hpp"
#include "overlay/trust/credential.hpp"
#include "overlay/trust/identity.hpp"
#include "overlay/trust/network_key.hpp"

namespace ipop::overlay {

// Things that happened and that nobody should be logged about one by one.
struct OverlayCounters {
  std::uint64_t handshakes_started = 0;
  std::uint64_t handshakes_completed = 0;
  std::uint64_t handshakes_failed = 0;    // given up
  std::uint64_t handshake_malformed = 0;  // too short, wrong form, or a form we do not speak
  std::uint64_t handshake_bad_mac = 0;    // from somebody outside the network
  std::uint64_t handshake_refused = 0;    // did not decrypt, replayed, or from an unknown key
  std::uint64_t handshake_limited = 0;    // too many, by source or by peer
  std::uint64_t cookies_sent = 0;
  std::uint64_t control_malformed = 0;
  std::uint64_t control_limited = 0;    // more than a peer may send in a second
  std::uint64_t records_refused = 0;    // from the directory: not of this network, or damaged
  std::uint64_t lists_refused = 0;      // of revocation: damaged, or not signed by a CA of ours
  std::uint64_t lists_limited = 0;      // more of those than are looked at in a second, or at once
  std::uint64_t datagrams_unknown = 0;  // of a kind that nobody here handles
  std::uint64_t address_conflicts = 0;
  std::uint64_t lan_limited = 0;    // more than is looked at in a second
  std::uint64_t relay_refused = 0;  // circuits that somebody asked for in vain
};

// Lanes of a session: by how many we would send, and how many we open for.
struct Lanes {
  std::uint8_t sent = 1;
  std::uint8_t taken = 1;
};

struct Context {
  engine::ForwardingTable& table;
  engine::Injector& injector;
  engine::WireSockets* sockets = nullptr;  // none: the wire has the one that everybody is told
  Directory& directory;
  const Identity& identity;
  const NetworkKey& network;
  handshake::Timers timers;
  std::uint8_t suites = 0;  // a bit per AeadSuite that we offer and accept
  bool relays = false;      // we relay for members, and say so
  Lanes lanes;
  std::uint16_t path_mtu = 1452;  // the largest UDP payload that we send over IPv6
  // The MTU of the link towards an endpoint, as the host knows it.
  std::function<std::uint16_t(const Endpoint&)> link_mtu = [](const Endpoint&) -> std::uint16_t {
    return 1500;
  };
  Credential credential;  // our own
  OverlayCounters counters;

  [[nodiscard]] handshake::LocalKeys keys() const {
    return {identity.exchange_secret(), identity.exchange_key()};
  }
};

}  // namespace ipop::overlay
