#include "conf/reload.hpp"

namespace ipop::conf {

Changes compare(const Config& running, const Config& next) {
  Changes changes;
  const auto live = [&](std::string_view key, const auto& was, const auto& is) {
    if (!(was == is)) changes.live.push_back(key);
  };
  const auto restart = [&](std::string_view key, const auto& was, const auto& is) {
    if (!(was == is)) changes.need_restart.push_back(key);
  };
  restart("network.name", running.network.name, next.network.name);
  restart("network.secret", running.network.secret, next.network.secret);
  restart("network.address", running.network.address, next.network.address);
  restart("network.address6", running.network.address6, next.network.address6);
  restart("network.hostname", running.network.hostname, next.network.hostname);
  live("network.routes", running.network.routes, next.network.routes);
  restart("interface.name", running.interface.name, next.interface.name);
  restart("interface.mtu", running.interface.mtu, next.interface.mtu);
  live("trust.ca", running.trust.ca, next.trust.ca);
  live("trust.cert", running.trust.cert, next.trust.cert);
  live("trust.key", running.trust.key, next.trust.key);
  live("trust.crl", running.trust.crl, next.trust.crl);
  restart("overlay.listen", running.overlay.listen, next.overlay.listen);
  live("overlay.bootstrap", running.overlay.bootstrap, next.overlay.bootstrap);
  restart("overlay.lan_discovery", running.overlay.lan_discovery, next.overlay.lan_discovery);
  restart("overlay.stun", running.overlay.stun, next.overlay.stun);
  restart("overlay.port_mapping", running.overlay.port_mapping, next.overlay.port_mapping);
  live("overlay.port_guessing", running.overlay.port_guessing, next.overlay.port_guessing);
  live("overlay.relay.use", running.overlay.relay.use, next.overlay.relay.use);
  live("overlay.relay.serve", running.overlay.relay.serve, next.overlay.relay.serve);
  live("overlay.relay.limit_mbit", running.overlay.relay.limit_mbit, next.overlay.relay.limit_mbit);
  restart("overlay.dht_network", running.overlay.dht_network, next.overlay.dht_network);
  live("overlay.peers", running.overlay.peers, next.overlay.peers);
  restart("engine.lcores", running.engine.lcores, next.engine.lcores);
  restart("engine.cpus", running.engine.cpus, next.engine.cpus);
  restart("engine.lanes", running.engine.lanes, next.engine.lanes);
  restart("engine.poll", running.engine.poll, next.engine.poll);
  restart("engine.hugepages", running.engine.hugepages, next.engine.hugepages);
  restart("engine.memory_mb", running.engine.memory_mb, next.engine.memory_mb);
  restart("engine.cipher", running.engine.cipher, next.engine.cipher);
  restart("engine.aead", running.engine.aead, next.engine.aead);
  restart("wire.backend", running.wire.backend, next.wire.backend);
  restart("wire.device", running.wire.device, next.wire.device);
  restart("wire.address", running.wire.address, next.wire.address);
  restart("wire.address6", running.wire.address6, next.wire.address6);
  restart("wire.gateway", running.wire.gateway, next.wire.gateway);
  restart("wire.gateway6", running.wire.gateway6, next.wire.gateway6);
  restart("wire.vlan", running.wire.vlan, next.wire.vlan);
  restart("wire.mtu", running.wire.mtu, next.wire.mtu);
  live("firewall.default_inbound", running.firewall.default_inbound, next.firewall.default_inbound);
  live("firewall.default_outbound", running.firewall.default_outbound,
       next.firewall.default_outbound);
  live("firewall.inbound", running.firewall.inbound, next.firewall.inbound);
  live("firewall.outbound", running.firewall.outbound, next.firewall.outbound);
  restart("firewall.max_flows", running.firewall.max_flows, next.firewall.max_flows);
  live("log.level", running.log.level, next.log.level);
  live("log.format", running.log.format, next.log.format);
  restart("paths.state", running.paths.state, next.paths.state);
  restart("paths.runtime", running.paths.runtime, next.paths.runtime);
  return changes;
}

Config with_live_changes(Config running, const Config& next) {
  running.network.routes = next.network.routes;
  running.trust = next.trust;
  running.overlay.bootstrap = next.overlay.bootstrap;
  running.overlay.port_guessing = next.overlay.port_guessing;
  running.overlay.relay = next.overlay.relay;
  running.overlay.peers = next.overlay.peers;
  const std::uint32_t max_flows = running.firewall.max_flows;
  running.firewall = next.firewall;
  running.firewall.max_flows = max_flows;
  running.log = next.log;
  return running;
}

}  // namespace ipop::conf
