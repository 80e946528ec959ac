#include "conf/validate.hpp"

#include <algorithm>
#include <map>
#include <string>

namespace ipop::conf {
namespace {

bool overlap(const Prefix& a, const Prefix& b) {
  return a.length <= b.length ? a.contains(b.address) : b.contains(a.address);
}

class Rules {
 public:
  Rules(const Config& config, const Positions& positions, ErrorList& errors)
      : config_(config), positions_(positions), errors_(errors) {}

  void mtu();
  void routes();
  void trust();
  void listen();
  void bootstrap();
  void paths();
  void peers();
  void engine();
  void wire();

 private:
  [[nodiscard]] bool was_read(std::string_view name) const { return positions_.contains(name); }

  void add(std::string_view name, std::string message) {
    const auto found = positions_.find(name);
    errors_.add(found == positions_.end() ? Position{} : found->second, std::move(message));
  }

  // The subnets of the virtual network that this node stands in.
  [[nodiscard]] std::vector<Prefix> own_subnets() const;
  void allowed_ips_of(std::size_t peer, std::map<Prefix, std::string>& owners);

  const Config& config_;
  const Positions& positions_;
  ErrorList& errors_;
};

std::vector<Prefix> Rules::own_subnets() const {
  std::vector<Prefix> subnets;
  if (was_read("network.address")) subnets.push_back(config_.network.address.masked());
  if (config_.network.address6) subnets.push_back(config_.network.address6->masked());
  return subnets;
}

void Rules::mtu() {
  // RFC 8200 §5: every link that carries IPv6 carries packets of 1280 bytes.
  if (config_.network.address6 && config_.interface.mtu && *config_.interface.mtu < 1280) {
    add("interface.mtu", "interface.mtu: IPv6 (network.address6) needs at least 1280");
  }
}

void Rules::routes() {
  const std::string name = "network.routes";
  const std::vector<Prefix>& routes = config_.network.routes;
  if (routes.size() > kMostRoutes) {
    add(name, name + ": at most " + std::to_string(kMostRoutes) + " subnets can be announced");
    return;
  }
  const std::vector<Prefix> own = own_subnets();
  for (std::size_t i = 0; i < routes.size(); ++i) {
    for (const Prefix& subnet : own) {
      if (!overlap(routes[i], subnet)) continue;
      add(indexed(name, i), name + ": " + routes[i].to_string() +
                                " overlaps the virtual network, " + subnet.to_string());
    }
    for (std::size_t j = 0; j < i; ++j) {
      if (!overlap(routes[i], routes[j])) continue;
      add(indexed(name, i),
          name + ": " + routes[i].to_string() + " overlaps " + routes[j].to_string());
    }
  }
}

void Rules::trust() {
  const Trust& trust = config_.trust;
  if (trust.ca.size() > kMostAuthorities) {
    add("trust.ca", "trust.ca: at most two CAs, while one replaces the other");
  }
  const auto needs = [&](const char* key, bool is_there) {
    if (!is_there) add("trust.ca", std::string("trust.ca: needs ") + key + ", too");
  };
  const auto useless = [&](const char* key, bool is_there) {
    if (is_there) add(key, std::string(key) + ": for nothing without trust.ca");
  };
  if (!trust.ca.empty()) {
    needs("trust.cert", was_read("trust.cert") || !trust.cert.empty());
    needs("trust.key", was_read("trust.key") || !trust.key.empty());
  } else {
    useless("trust.cert", !trust.cert.empty());
    useless("trust.key", !trust.key.empty());
    useless("trust.crl", !trust.crl.empty());
  }
}

void Rules::listen() {
  const std::string name = "overlay.listen";
  const std::vector<Endpoint>& listen = config_.overlay.listen;
  for (std::size_t i = 0; i < listen.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (listen[i].address.is_v4() == listen[j].address.is_v4()) {
        add(indexed(name, i), name + ": only one IPv4 and one IPv6 address can be listened on");
        return;
      }
    }
    if (listen[i].port != listen[0].port) {
      add(indexed(name, i), name + ": IPv4 and IPv6 must use the same port");
    }
  }
}

void Rules::bootstrap() {
  const std::string name = "overlay.bootstrap";
  std::map<std::pair<std::string, std::uint16_t>, std::size_t> seen;
  for (std::size_t i = 0; i < config_.overlay.bootstrap.size(); ++i) {
    const HostPort& node = config_.overlay.bootstrap[i];
    if (seen.emplace(std::pair(node.host, node.port), i).second) continue;
    add(indexed(name, i), name + ": " + in_quotes(node.host) + " is listed twice");
  }
}

void Rules::paths() {
  if (config_.paths.state.lexically_normal() != config_.paths.runtime.lexically_normal()) return;
  const char* last = was_read("paths.runtime") ? "paths.runtime" : "paths.state";
  add(last, "paths.state and paths.runtime must be two directories");
}

void Rules::allowed_ips_of(std::size_t peer, std::map<Prefix, std::string>& owners) {
  const std::string name = indexed("overlay.peers", peer);
  const std::vector<Prefix>& allowed = config_.overlay.peers[peer].allowed_ips;
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    const auto [owner, fresh] = owners.emplace(allowed[i], name);
    if (fresh) continue;
    add(indexed(name + ".allowed_ips", i), name + ".allowed_ips: " + allowed[i].to_string() +
                                               " belongs to " + owner->second + " already");
  }
}

void Rules::peers() {
  const std::vector<StaticPeer>& peers = config_.overlay.peers;
  std::map<std::array<std::uint8_t, 32>, std::size_t> keys;
  std::map<std::string, std::size_t> names;
  std::map<Prefix, std::string> owners;
  if (was_read("network.address")) {
    owners.emplace(Prefix::host(config_.network.address.address), "this node");
  }
  if (config_.network.address6) {
    owners.emplace(Prefix::host(config_.network.address6->address), "this node");
  }
  for (const Prefix& route : config_.network.routes) {
    owners.emplace(route, "this node");
  }

  for (std::size_t i = 0; i < peers.size(); ++i) {
    const std::string name = indexed("overlay.peers", i);
    if (was_read(name + ".public_key")) {
      const auto [first, fresh] = keys.emplace(peers[i].public_key, i);
      if (!fresh) {
        add(name + ".public_key",
            name + ".public_key is that of " + indexed("overlay.peers", first->second));
      }
    }
    if (!peers[i].name.empty()) {
      const auto [first, fresh] = names.emplace(peers[i].name, i);
      if (!fresh) {
        add(name + ".name", name + ".name: " + in_quotes(peers[i].name) + " is the name of " +
                                indexed("overlay.peers", first->second));
      }
    }
    allowed_ips_of(i, owners);
  }
}

void Rules::engine() {
  const Engine& engine = config_.engine;
  if (engine.lcores != 0 && engine.cpus.size() > engine.lcores) {
    add("engine.cpus", "engine.cpus names " + std::to_string(engine.cpus.size()) +
                           " processors for engine.lcores " + std::to_string(engine.lcores));
  }
  for (std::size_t i = 0; i < engine.cpus.size(); ++i) {
    const auto first = std::ranges::find(engine.cpus, engine.cpus[i]) - engine.cpus.begin();
    if (engine.cpus[i] == kAnyCpu || static_cast<std::size_t>(first) == i) continue;
    add(indexed("engine.cpus", i),
        "engine.cpus: two lcores cannot have processor " + std::to_string(engine.cpus[i]));
  }
}

void Rules::wire() {
  // What was refused looks like what was left out: nothing is said about it twice.
  if (!errors_.empty()) return;
  const Wire& wire = config_.wire;
  if (wire.backend == WireBackend::kSocket) {
    const auto refuse = [&](const char* key, bool asks) {
      if (asks) add(key, std::string(key) + " is for wire.backend dpdk alone");
    };
    refuse("wire.device", !wire.device.empty());
    refuse("wire.address", wire.address.has_value());
    refuse("wire.address6", wire.address6.has_value());
    refuse("wire.gateway", wire.gateway.has_value());
    refuse("wire.gateway6", wire.gateway6.has_value());
    refuse("wire.vlan", wire.vlan != Wire{}.vlan);
    refuse("wire.mtu", wire.mtu != Wire{}.mtu);
    return;
  }
  if (wire.device.empty()) {
    add("wire.backend", "wire.backend: dpdk needs wire.device");
    return;
  }
  const bool has_address = wire.address || wire.address6;
  if (!has_address && wire.device.find(",iface=") == std::string::npos) {
    add("wire.device",
        "wire.device: no interface of the kernel's says which address it has; set "
        "wire.address or wire.address6");
  }
  if (wire.gateway && wire.address && *wire.gateway == wire.address->address) {
    add("wire.gateway", "wire.gateway is the wire's own address");
  }
  if (wire.gateway6 && wire.address6 && *wire.gateway6 == wire.address6->address) {
    add("wire.gateway6", "wire.gateway6 is the wire's own address");
  }
  if (wire.gateway && !wire.address) add("wire.gateway", "wire.gateway needs wire.address");
  if (wire.gateway6 && !wire.address6) add("wire.gateway6", "wire.gateway6 needs wire.address6");
  for (std::size_t i = 0; i < config_.overlay.listen.size(); ++i) {
    const IpAddress& address = config_.overlay.listen[i].address;
    const auto& own = address.is_v4() ? wire.address : wire.address6;
    if (address.is_unspecified() || !has_address || (own && own->address == address)) continue;
    add(indexed("overlay.listen", i),
        "overlay.listen: " + address.to_string() + " is not an address of the wire");
  }
}

}  // namespace

void validate(const Config& config, const Positions& positions, ErrorList& errors) {
  Rules rules(config, positions, errors);
  rules.mtu();
  rules.routes();
  rules.trust();
  rules.listen();
  rules.bootstrap();
  rules.paths();
  rules.peers();
  rules.engine();
  rules.wire();
}

}  // namespace ipop::conf
