// What the overlay tells people: its part of `ipop status`.
#include <algorithm>
#include <bit>

#include "base/text.hpp"
#include "overlay/overlay.hpp"
#include "overlay/peer/sessions.hpp"

namespace ipop::overlay {
namespace {

constexpr std::uint16_t kSealOverhead = 32;  // data header and tag

std::vector<std::string> addresses_of(const Peer& peer) {
  std::vector<Prefix> prefixes = peer.routes;
  if (prefixes.empty() && peer.credential) prefixes = peer.credential->addresses;
  std::vector<std::string> texts;
  for (const Prefix& prefix : prefixes) {
    texts.push_back(prefix.is_host() ? prefix.address.to_string() : prefix.to_string());
  }
  return texts;
}

PeerState state_of(const Peer& peer) {
  if (peer.refused) return PeerState::kRefused;
  if (peer.connected()) return PeerState::kConnected;
  return peer.connecting ? PeerState::kConnecting : PeerState::kIdle;
}

const char* name(CandidateKind kind) {
  switch (kind) {
    case CandidateKind::kLan:
      return "lan";
    case CandidateKind::kRouted:
      return "routed";
    case CandidateKind::kMapped:
      return "mapped";
  }
  return "";
}

std::string outcome_of(const Peer& peer, const Endpoint& endpoint, Instant now) {
  if (peer.connected() && peer.path == endpoint) return "in use";
  const Trial* const trial = peer.trials.find(endpoint);
  if (trial == nullptr) return "not tried";
  const std::string count = std::to_string(trial->unanswered);
  if (!trial->answered)
    return "no answer to " + count + (trial->unanswered == 1 ? " datagram" : " datagrams");
  const std::string ago = std::to_string((now - *trial->answered) / std::chrono::seconds(1));
  return "answered " + ago + " s ago" +
         (trial->unanswered == 0 ? "" : ", and nothing to " + count + " since");
}

// What its record names, what the configuration names, and where else it was met.
std::vector<CandidateStatus> candidates_of(const Peer& peer, Instant now) {
  std::vector<CandidateStatus> list;
  std::vector<Endpoint> shown;
  const auto add = [&](const Endpoint& endpoint, const char* kind) {
    if (std::ranges::find(shown, endpoint) != shown.end()) return;
    shown.push_back(endpoint);
    list.push_back({endpoint.bare().to_string(), endpoint.label == 0 ? kind : "relay",
                    outcome_of(peer, endpoint, now)});
  };
  for (const Candidate& candidate : peer.candidates)
    add(candidate.endpoint, name(candidate.kind));
  if (peer.configured && peer.configured->endpoint) add(*peer.configured->endpoint, "configured");
  if (peer.path) add(*peer.path, "observed");
  for (const Trial& trial : peer.trials.all())
    add(trial.endpoint, "observed");
  return list;
}

const char* nat_text(NatMapping nat) {
  switch (nat) {
    case NatMapping::kNone:
      return "not behind a NAT";
    case NatMapping::kEndpointDependent:
      return "behind a NAT that maps each destination to another port";
    case NatMapping::kTranslated:
    case NatMapping::kEndpointIndependent:
      return "behind a NAT";
    case NatMapping::kUnknown:
      break;
  }
  return "not told by anybody how it looks from outside";
}

// Why no direct path is in use: what was tried, and what is known of both ends.
std::string why_relayed(const Peer& peer, NatMapping ours) {
  std::size_t tried = 0;
  std::size_t answered = 0;
  for (const Candidate& candidate : peer.candidates) {
    const Trial* const trial = peer.trials.find(candidate.endpoint);
    if (trial == nullptr) continue;
    ++tried;
    if (trial->answered && trial->unanswered == 0) ++answered;
  }
  const std::string outcome = peer.candidates.empty() ? "it names no endpoint of its own"
                              : tried == 0            ? "its endpoints were not tried yet"
                              : answered != 0
                                  ? "a direct endpoint answers: moving there"
                                  : "none of its " + std::to_string(tried) + " endpoints answers";
  return outcome + "; it is " + nat_text(peer.nat) + ", we are " + nat_text(ours);
}

std::string why(const Peer& peer, PeerState state, PathRank rank, NatMapping ours) {
  switch (state) {
    case PeerState::kRefused:
      return *peer.refused;
    case PeerState::kConnecting:
      return "waiting for an answer from " + std::to_string(Handshaker::targets(peer).size()) +
             " endpoints";
    case PeerState::kIdle:
      return "no traffic: no session is kept";
    case PeerState::kConnected:
      break;
  }
  if (peer.form == handshake::Form::kIpop && !peer.authorised) {
    return "waiting for its credential";
  }
  if (!peer.path) return "its relay is gone: looking for another way";
  if (peer.is_relayed()) return why_relayed(peer, ours);
  return rank == PathRank::kLan ? "on one of our own subnets" : "it answers at this endpoint";
}

}  // namespace

NatStatus Overlay::nat_status(Instant now) const {
  const Mappings& seen = nat_.mappings();
  NatStatus status;
  status.ipv4 = name(seen.mapping(true));
  status.ipv6 = name(seen.mapping(false));
  status.filtering = name(nat_.filtering());
  status.kind = seen.mapping(true) != NatMapping::kUnknown ? status.ipv4 : status.ipv6;
  for (const Endpoint& endpoint : outside_endpoints())
    status.mapped.push_back(endpoint.to_string());
  for (const auto& [server, answers, silent, mapped, rtt] : nat_.client().servers()) {
    StunServerStatus& one = status.servers.emplace_back();
    one.endpoint = server.to_string();
    if (!answers) continue;
    one.mapped = mapped.to_string();
    one.rtt_ms = std::chrono::duration<double, std::milli>(rtt).count();
  }
  PortMappingStatus& port = status.port_mapping;
  port = {
      .protocol = port_mapping_.protocol, .outside = {}, .expires_s = {}, .why = port_mapping_.why};
  if (port_mapping_.outside) port.outside = port_mapping_.outside->to_string();
  if (port_mapping_.expires) {
    const Duration left = std::max(*port_mapping_.expires - now, Duration::zero());
    port.expires_s = static_cast<std::uint64_t>(left / std::chrono::seconds(1));
  }
  return status;
}

PathKind Overlay::path_kind(const Endpoint& endpoint) const {
  switch (rank_of(endpoint, territory_.local())) {
    case PathRank::kLan:
      return PathKind::kLan;
    case PathRank::kRelay:
      return PathKind::kRelay;
    case PathRank::kDirect4:
    case PathRank::kDirect6:
      break;
  }
  return PathKind::kDirect;
}

std::vector<std::string> Overlay::relay_names(const Endpoint& endpoint) const {
  std::vector<std::string> names;
  const Circuit* const circuit = circuits_.at(endpoint);
  if (circuit == nullptr) return names;
  const Peer* const first = peers_.by_index(circuit->relay);
  names.push_back(first != nullptr && first->credential ? first->credential->hostname : "?");
  for (const NodeId& node : circuit->via) {
    const Peer* const known = peers_.by_node(node);
    names.push_back(known != nullptr ? known->credential->hostname : node.brief());
  }
  return names;
}

RelayStatus Overlay::relay_status() const {
  const engine::LabelActivity carried = relay_service_.carried();
  RelayStatus status{.serves = context_.relays,
                     .homes = {},
                     .circuits = relay_service_.circuits(),
                     .packets = carried.packets,
                     .bytes = carried.bytes,
                     .records = guest_records_.size()};
  for (const engine::PeerIndex index : relays_.homes()) {
    const Peer* const home = peers_.by_index(index);
    if (home != nullptr && home->credential) status.homes.push_back(home->credential->hostname);
  }
  return status;
}

void Overlay::describe(Status& status, Now now) const {
  status.node_id = context_.identity.node_id().to_string();
  status.public_key = to_base64(context_.identity.exchange_key());
  status.network = settings_.network_name;
  status.hostname = context_.credential.hostname;
  status.uptime_s = static_cast<std::uint64_t>((now.mono - started_) / std::chrono::seconds(1));
  const DirectoryStatus directory = context_.directory.status();
  status.dht = {.connected = directory.connected, .nodes = directory.nodes};
  status.warnings = warnings_;
  status.nat = nat_status(now.mono);
  status.relay = relay_status();
  const Mappings& seen = nat_.mappings();
  const NatMapping ours =
      seen.mapping(true) != NatMapping::kUnknown ? seen.mapping(true) : seen.mapping(false);
  peers_.for_each([&](Peer& peer) {
    PeerStatus one;
    if (const auto id = peer.node_id()) one.node_id = id->to_string();
    if (peer.credential) {
      one.hostname = peer.credential->hostname;
    } else if (peer.configured) {
      one.hostname = peer.configured->name;
    }
    one.addresses = addresses_of(peer);
    one.state = state_of(peer);
    one.protocol = peer.form == handshake::Form::kIpop ? "ipop" : "wireguard";
    PathRank rank = PathRank::kDirect4;
    if (peer.path) rank = rank_of(*peer.path, territory_.local());
    one.why = why(peer, one.state, rank, ours);
    if (peer.connected() && peer.is_relayed()) {
      if (const std::string guessing = guessing_.describe(peer, now.mono); !guessing.empty())
        one.why += "; " + guessing;
    }
    if (peer.path) {
      one.endpoint = peer.path->bare().to_string();
      one.relay_via = relay_names(*peer.path);
    }
    if (const Session* session = peer.session(peer.current)) {
      if (peer.path) one.path = path_kind(*peer.path);
      one.cipher = engine::name(session->suite);
      one.lanes = session->send_lanes;
      one.lane_ports = static_cast<unsigned>(std::popcount(peer.lanes.in_use.ours));
      one.handshake_age_s =
          static_cast<std::uint64_t>((now.mono - session->created) / std::chrono::seconds(1));
      if (peer.path_mtu > kSealOverhead) {
        one.mtu = static_cast<std::uint16_t>(peer.path_mtu - kSealOverhead);
      }
    }
    if (peer.liveness.rtt) one.rtt_ms = static_cast<double>(peer.liveness.rtt->count()) / 1e6;
    const engine::PeerCounters counters = context_.table.counters(peer.index);
    one.tx_bytes = counters.tx_bytes;
    one.rx_bytes = counters.rx_bytes;
    one.tx_packets = counters.tx_packets;
    one.rx_packets = counters.rx_packets;
    one.candidates = candidates_of(peer, now.mono);
    status.peers.push_back(std::move(one));
  });
  std::ranges::sort(status.peers, {}, [](const PeerStatus& peer) {
    return std::pair(peer.addresses.empty(), peer.addresses);
  });
}

}  // namespace ipop::overlay
