#include "overlay/status_json.hpp"

#include <nlohmann/json.hpp>

#include "overlay/object_reader.hpp"

namespace ipop::overlay {
namespace {

using Json = nlohmann::ordered_json;

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json counters_to_json(const engine::EngineCounters& counters) {
  return {{"host_rx", counters.host_rx},        {"wire_rx", counters.wire_rx},
          {"injected", counters.injected},      {"generated", counters.generated},
          {"staged", counters.staged},          {"neighbour_answered", counters.neighbour_answered},
          {"handed_over", counters.handed_over}};
}

// Fates that are drops, or those that are not. All are listed, zeros too: a reader can add up.
Json fates_to_json(const engine::FateCounts& fates, bool drops) {
  Json json = Json::object();
  for (std::size_t i = 0; i < engine::kFateCount; ++i) {
    const auto fate = static_cast<engine::Fate>(i);
    if (engine::is_drop(fate) == drops) json[engine::name(fate)] = fates[i];
  }
  return json;
}

Json events_to_json(const engine::WireEvents& events) {
  Json json = Json::object();
  for (std::size_t i = 0; i < engine::kWireEventCount; ++i)
    json[engine::name(static_cast<engine::WireEvent>(i))] = events[i];
  return json;
}

Json engine_to_json(const EngineStatus& engine) {
  return {{"lcores", engine.lcores},
          {"poll", engine.poll},
          {"wire", engine.wire},
          {"aead", engine.aead},
          {"counters", counters_to_json(engine.counters)},
          {"fates", fates_to_json(engine.counters.fates, false)},
          {"drops", fates_to_json(engine.counters.fates, true)},
          {"wire_events", events_to_json(engine.wire_events)}};
}

// A word that `name` of the enumeration gives; `last` is its greatest value.
template <typename Enum>
void read_word(ObjectReader& reader, const char* key, Enum last, Enum& into) {
  std::string word = name(into);
  reader.read(key, word);
  for (unsigned value = 0; value <= static_cast<unsigned>(last); ++value) {
    if (word != name(static_cast<Enum>(value))) continue;
    into = static_cast<Enum>(value);
    return;
  }
  reader.complain(reader.where() + "." + key + " is '" + word + "', which is not known");
}

void read_fates(ObjectReader& reader, bool drops, engine::FateCounts& fates) {
  for (std::size_t i = 0; i < engine::kFateCount; ++i) {
    const auto fate = static_cast<engine::Fate>(i);
    if (engine::is_drop(fate) == drops) reader.read(engine::name(fate), fates[i]);
  }
}

void read_engine(ObjectReader& reader, EngineStatus& engine) {
  reader.read("lcores", engine.lcores);
  reader.read("poll", engine.poll);
  reader.read("wire", engine.wire);
  reader.read("aead", engine.aead);
  engine::EngineCounters& counters = engine.counters;
  reader.object("counters", [&](ObjectReader& inner) {
    inner.read("host_rx", counters.host_rx);
    inner.read("wire_rx", counters.wire_rx);
    inner.read("injected", counters.injected);
    inner.read("generated", counters.generated);
    inner.read("staged", counters.staged);
    inner.read("neighbour_answered", counters.neighbour_answered);
    inner.read("handed_over", counters.handed_over);
  });
  reader.object("fates", [&](ObjectReader& inner) { read_fates(inner, false, counters.fates); });
  reader.object("drops", [&](ObjectReader& inner) { read_fates(inner, true, counters.fates); });
  reader.object("wire_events", [&](ObjectReader& inner) {
    for (std::size_t i = 0; i < engine::kWireEventCount; ++i)
      inner.read(engine::name(static_cast<engine::WireEvent>(i)), engine.wire_events[i]);
  });
}

void read_peer(ObjectReader& reader, PeerStatus& peer) {
  reader.read("node_id", peer.node_id);
  reader.read("hostname", peer.hostname);
  reader.read("addresses", peer.addresses);
  read_word(reader, "state", PeerState::kRefused, peer.state);
  read_word(reader, "path", PathKind::kRelay, peer.path);
  reader.read("why", peer.why);
  reader.read("endpoint", peer.endpoint);
  reader.read("relay_via", peer.relay_via);
  reader.read("rtt_ms", peer.rtt_ms);
  reader.read("mtu", peer.mtu);
  reader.read("cipher", peer.cipher);
  reader.read("lanes", peer.lanes);
  reader.read("lane_ports", peer.lane_ports);
  reader.read("handshake_age_s", peer.handshake_age_s);
  reader.read("tx_bytes", peer.tx_bytes);
  reader.read("rx_bytes", peer.rx_bytes);
  reader.read("tx_packets", peer.tx_packets);
  reader.read("rx_packets", peer.rx_packets);
  reader.read("protocol", peer.protocol);
  reader.list("candidates", [&](ObjectReader& inner) {
    CandidateStatus& one = peer.candidates.emplace_back();
    inner.read("endpoint", one.endpoint);
    inner.read("kind", one.kind);
    inner.read("outcome", one.outcome);
  });
}

}  // namespace

Json to_json(const PeerStatus& peer) {
  Json candidates = Json::array();
  for (const CandidateStatus& one : peer.candidates)
    candidates.push_back(
        {{"endpoint", one.endpoint}, {"kind", one.kind}, {"outcome", one.outcome}});
  return {{"node_id", peer.node_id},
          {"hostname", peer.hostname},
          {"addresses", peer.addresses},
          {"state", name(peer.state)},
          {"path", name(peer.path)},
          {"why", peer.why},
          {"endpoint", peer.endpoint},
          {"relay_via", peer.relay_via},
          {"rtt_ms", or_null(peer.rtt_ms)},
          {"mtu", or_null(peer.mtu)},
          {"cipher", peer.cipher},
          {"handshake_age_s", or_null(peer.handshake_age_s)},
          {"lanes", peer.lanes},
          {"lane_ports", peer.lane_ports},
          {"tx_bytes", peer.tx_bytes},
          {"rx_bytes", peer.rx_bytes},
          {"tx_packets", peer.tx_packets},
          {"rx_packets", peer.rx_packets},
          {"protocol", peer.protocol},
          {"candidates", std::move(candidates)}};
}

Json nat_to_json(const NatStatus& nat) {
  Json servers = Json::array();
  for (const StunServerStatus& server : nat.servers) {
    servers.push_back({{"endpoint", server.endpoint},
                       {"mapped", server.mapped},
                       {"rtt_ms", server.rtt_ms ? Json(*server.rtt_ms) : Json(nullptr)}});
  }
  return {{"kind", nat.kind},
          {"ipv4", nat.ipv4},
          {"ipv6", nat.ipv6},
          {"filtering", nat.filtering},
          {"mapped", nat.mapped},
          {"servers", std::move(servers)},
          {"port_mapping",
           {{"protocol", nat.port_mapping.protocol},
            {"outside", nat.port_mapping.outside},
            {"expires_s", or_null(nat.port_mapping.expires_s)},
            {"why", nat.port_mapping.why}}}};
}

Json firewall_to_json(const FirewallStatus& firewall) {
  Json rules = Json::array();
  for (const FirewallRuleStatus& one : firewall.rules) {
    rules.push_back({{"direction", one.direction},
                     {"name", one.name},
                     {"rule", one.rule},
                     {"packets", one.packets},
                     {"bytes", one.bytes}});
  }
  return {{"on", firewall.on},
          {"flows", firewall.flows},
          {"max_flows", firewall.max_flows},
          {"rules", std::move(rules)}};
}

Json to_json(const Status& status) {
  Json peers = Json::array();
  for (const PeerStatus& peer : status.peers)
    peers.push_back(to_json(peer));
  return {{"version", status.version},
          {"node_id", status.node_id},
          {"public_key", status.public_key},
          {"network", status.network},
          {"hostname", status.hostname},
          {"addresses", status.addresses},
          {"interface", {{"name", status.interface.name}, {"mtu", status.interface.mtu}}},
          {"uptime_s", status.uptime_s},
          {"nat", nat_to_json(status.nat)},
          {"relay",
           {{"serves", status.relay.serves},
            {"homes", status.relay.homes},
            {"circuits", status.relay.circuits},
            {"packets", status.relay.packets},
            {"bytes", status.relay.bytes},
            {"records", status.relay.records}}},
          {"dht", {{"connected", status.dht.connected}, {"nodes", status.dht.nodes}}},
          {"engine", engine_to_json(status.engine)},
          {"firewall", firewall_to_json(status.firewall)},
          {"hardening",
           {{"capabilities", status.hardening.capabilities},
            {"no_new_privileges", status.hardening.no_new_privileges},
            {"system_calls_filtered", status.hardening.system_calls_filtered},
            {"memory_readable", status.hardening.memory_readable}}},
          {"warnings", status.warnings},
          {"peers", std::move(peers)}};
}

Result<PeerStatus> peer_from_json(const Json& json) {
  ObjectReader reader(json, "peer");
  PeerStatus peer;
  read_peer(reader, peer);
  if (!reader.ok()) return reader.failure();
  return peer;
}

Result<Status> status_from_json(const Json& json) {
  ObjectReader reader(json, "status");
  Status status;
  reader.read("version", status.version);
  reader.read("node_id", status.node_id);
  reader.read("public_key", status.public_key);
  reader.read("network", status.network);
  reader.read("hostname", status.hostname);
  reader.read("addresses", status.addresses);
  reader.object("interface", [&](ObjectReader& inner) {
    inner.read("name", status.interface.name);
    inner.read("mtu", status.interface.mtu);
  });
  reader.read("uptime_s", status.uptime_s);
  reader.object("nat", [&](ObjectReader& inner) {
    inner.read("kind", status.nat.kind);
    inner.read("ipv4", status.nat.ipv4);
    inner.read("ipv6", status.nat.ipv6);
    inner.read("filtering", status.nat.filtering);
    inner.read("mapped", status.nat.mapped);
    inner.list("servers", [&](ObjectReader& server) {
      StunServerStatus& one = status.nat.servers.emplace_back();
      server.read("endpoint", one.endpoint);
      server.read("mapped", one.mapped);
      server.read("rtt_ms", one.rtt_ms);
    });
    inner.object("port_mapping", [&](ObjectReader& mapping) {
      PortMappingStatus& port = status.nat.port_mapping;
      mapping.read("protocol", port.protocol);
      mapping.read("outside", port.outside);
      mapping.read("expires_s", port.expires_s);
      mapping.read("why", port.why);
    });
  });
  reader.object("relay", [&](ObjectReader& inner) {
    inner.read("serves", status.relay.serves);
    inner.read("homes", status.relay.homes);
    inner.read("circuits", status.relay.circuits);
    inner.read("packets", status.relay.packets);
    inner.read("bytes", status.relay.bytes);
    inner.read("records", status.relay.records);
  });
  reader.object("dht", [&](ObjectReader& inner) {
    inner.read("connected", status.dht.connected);
    inner.read("nodes", status.dht.nodes);
  });
  reader.object("engine", [&](ObjectReader& inner) { read_engine(inner, status.engine); });
  reader.object("firewall", [&](ObjectReader& inner) {
    inner.read("on", status.firewall.on);
    inner.read("flows", status.firewall.flows);
    inner.read("max_flows", status.firewall.max_flows);
    inner.list("rules", [&](ObjectReader& rule) {
      FirewallRuleStatus& one = status.firewall.rules.emplace_back();
      rule.read("direction", one.direction);
      rule.read("name", one.name);
      rule.read("rule", one.rule);
      rule.read("packets", one.packets);
      rule.read("bytes", one.bytes);
    });
  });
  reader.object("hardening", [&](ObjectReader& inner) {
    inner.read("capabilities", status.hardening.capabilities);
    inner.read("no_new_privileges", status.hardening.no_new_privileges);
    inner.read("system_calls_filtered", status.hardening.system_calls_filtered);
    inner.read("memory_readable", status.hardening.memory_readable);
  });
  reader.read("warnings", status.warnings);
  reader.list("peers", [&](ObjectReader& inner) { read_peer(inner, status.peers.emplace_back()); });
  if (!reader.ok()) return reader.failure();
  return status;
}

std::string to_text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ipop::overlay
