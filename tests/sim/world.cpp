#include "tests/sim/world.hpp"

#include <algorithm>
#include <utility>

namespace ipop::sim {
namespace {

using namespace std::chrono_literals;

constexpr Duration kValueLife = 10min;
constexpr Duration kLinkLatency = 1ms;

// What the overlay is given may change before it is handled: events own their bytes.
struct OwnedPunt {
  explicit OwnedPunt(const engine::Punt& from)
      : punt(from), bytes(from.bytes.begin(), from.bytes.end()) {}
  engine::Punt punt;
  std::vector<std::uint8_t> bytes;
};

// Deriving takes a tenth of a second: once per name.
const overlay::NetworkKey& network_key(const std::string& name) {
  static std::map<std::string, overlay::NetworkKey> keys;
  const auto found = keys.find(name);
  if (found != keys.end()) return found->second;
  return keys.emplace(name, *overlay::NetworkKey::derive(name, "")).first->second;
}

}  // namespace

void SimDirectory::publish(const overlay::DirectoryKey& key, overlay::DirectoryValue value) {
  kept.insert(key);
  post(key, std::move(value));
}

void SimDirectory::withdraw(const overlay::DirectoryKey& key) {
  // A DHT does not forget on request; the values run out.
  kept.erase(key);
}

void SimDirectory::post(const overlay::DirectoryKey& key, overlay::DirectoryValue value) {
  if (!reachable || !hears) return;
  world_.at(world_.now + world_.directory_latency, [this, key, value = std::move(value)] {
    world_.stored[key].emplace_back(world_.now + kValueLife, value);
    const auto [first, last] = world_.listeners.equal_range(key);
    for (auto listener = first; listener != last; ++listener) {
      if (!listener->second.first->reachable) continue;
      world_.at(world_.now + world_.directory_latency / 2,
                [found = listener->second.second, value] { found(value); });
    }
  });
}

void SimDirectory::lookup(const overlay::DirectoryKey& key, OnValue found, OnDone done) {
  asked.insert(key);
  world_.at(world_.now + world_.directory_latency,
            [this, key, found = std::move(found), done = std::move(done)] {
              if (reachable) {
                for (const auto& [expires, value] : world_.stored[key]) {
                  if (expires > world_.now) found(value);
                }
              }
              done(reachable);
            });
}

void SimDirectory::listen(const overlay::DirectoryKey& key, OnValue found) {
  world_.listeners.emplace(key, std::pair(this, found));
  lookup(key, std::move(found), [](bool) {});
}

Node::Node(World& in, NodeOptions chosen)
    : world(in),
      options(std::move(chosen)),
      nat(options.nat),
      identity(overlay::Identity::generate()),
      network(network_key(options.network)),
      directory(in),
      engine(
          in.now,
          [this](const Endpoint& to, std::vector<std::uint8_t> datagram) {
            world.deliver(*this, to, std::move(datagram));
          },
          [this](const engine::Punt& punt) {
            world.at(world.now, [this, owned = std::make_shared<OwnedPunt>(punt)] {
              if (!up) return;
              owned->punt.bytes = owned->bytes;
              overlay->on_punt(owned->punt, world.clock());
            });
          }) {
  if (options.identity != nullptr) {
    const auto file = options.state / (options.name + ".key");
    static_cast<void>(options.identity->save(file));
    identity = *overlay::Identity::load(file);
  }
  for (const std::string& text : options.underlay)
    underlay.push_back(*Prefix::parse(text));
  const Prefix address = *Prefix::parse(options.address);
  const WallTime claimed =
      options.claimed_at == WallTime{} ? world.clock().wall : options.claimed_at;
  overlay::Context context{
      .table = engine,
      .injector = engine,
      .sockets = &engine,
      .directory = directory,
      .identity = identity,
      .network = network,
      .suites = options.suites,
      .lanes = options.lanes,
      .credential = overlay::Credential::make(identity, {Prefix::host(address.address)}, {},
                                              options.name, claimed)};
  overlay::OverlaySettings settings{
      .network_name = options.network,
      .subnets = {address.masked()},
      .static_peers = options.static_peers,
      .known_peers_file = options.state.empty() ? std::filesystem::path()
                                                : options.state / (options.name + ".peers"),
      .port = 4545,
      .relay = options.relay,
      .port_guessing = options.port_guessing,
      .trust = options.trust ? options.trust(identity, network) : overlay::TrustSettings{},
      .revoked_file = options.state.empty() ? std::filesystem::path()
                                            : options.state / (options.name + ".revoked")};
  overlay = std::make_unique<overlay::Overlay>(
      std::move(context), std::move(settings),
      [this](std::string text) { fatal.push_back(std::move(text)); });
  overlay->set_local_addresses(underlay, world.clock());
  overlay->set_stun_servers(options.stun, world.clock());
  if (options.lan_discovery) {
    overlay->set_lan_sender([this](ByteView datagram) {
      world.multicast(*this, {datagram.begin(), datagram.end()});
    });
  }
  overlay->start(world.clock());
}

std::uint32_t Node::send(const std::string& to) {
  static std::uint32_t number = 0;
  ++number;
  engine.from_host({Prefix::parse(options.address)->address, *IpAddress::parse(to), number});
  return number;
}

bool Node::received(std::uint32_t number) const {
  return std::ranges::find(engine.delivered, number, &HostPacket::number) != engine.delivered.end();
}

overlay::Status Node::status() const {
  overlay::Status status;
  overlay->describe(status, world.clock());
  return status;
}

const overlay::PeerStatus* Node::peer(const std::string& address) const {
  static overlay::Status status;
  status = this->status();
  for (const overlay::PeerStatus& peer : status.peers) {
    if (std::ranges::find(peer.addresses, address) != peer.addresses.end()) return &peer;
  }
  return nullptr;
}

void Node::move_to(const std::string& to) {
  underlay = {*Prefix::parse(to)};
  overlay->set_local_addresses(underlay, world.clock());
}

void Node::move_behind(Nat& other, const std::string& to) {
  nat = &other;
  move_to(to);
}

World::World() = default;
World::~World() = default;

Node& World::add(NodeOptions options) {
  nodes.push_back(std::make_unique<Node>(*this, std::move(options)));
  return *nodes.back();
}

Nat& World::add_nat(const std::string& external, By mapping, By filtering, Ports ports) {
  nats.push_back(std::make_unique<Nat>(*IpAddress::parse(external), mapping, filtering, ports));
  return *nats.back();
}

void World::kill(Node& node) {
  node.up = false;
  node.directory.reachable = false;
}

// Its directory looks again for all that it listens to, as OpenDhtDirectory does.
void World::revive(Node& node) {
  node.up = true;
  node.directory.reachable = true;
  for (const auto& [key, listener] : listeners) {
    if (listener.first == &node.directory) node.directory.lookup(key, listener.second, [](bool) {});
  }
}

void World::at(Instant when, std::function<void()> what) {
  events_.emplace(when, std::move(what));
}

void World::deliver(Node& from, const Endpoint& to, std::vector<std::uint8_t> datagram) {
  ++datagrams;
  if (!from.up || (loses && loses(from, to, datagram))) return;
  // As a kernel does: an address on the destination's link is preferred.
  const auto own_of = std::ranges::find(from.underlay, to.address.is_v4(),
                                        [](const Prefix& own) { return own.address.is_v4(); });
  if (own_of == from.underlay.end()) return;  // it has no address of that family
  Endpoint source{own_of->address, SimEngine::port_of(to.socket)};
  for (const Prefix& own : from.underlay) {
    if (own.contains(to.address)) source.address = own.address;
  }
  const Nat* network = from.nat;
  if (network != nullptr && !is_on(network, to.address)) {
    source = from.nat->out(source, to.bare(), now);
    network = nullptr;
  }
  at(now + latency, [this, network, source, to, datagram = std::move(datagram)] {
    arrive(network, source, to, datagram);
  });
}

void World::multicast(Node& from, std::vector<std::uint8_t> datagram) {
  ++multicasts;
  if (!from.up) return;
  for (const auto& node : nodes) {
    const bool here = node->nat == from.nat && node.get() != &from &&
                      std::ranges::any_of(node->underlay, [&](const Prefix& own) {
                        return own.contains(from.endpoint().address);
                      });
    if (!here || !node->options.lan_discovery) continue;
    at(now + kLinkLatency, [this, to = node.get(), datagram] {
      if (to->up) to->overlay->on_lan(datagram, clock());
    });
  }
}

bool World::is_on(const Nat* network, const IpAddress& address) const {
  return std::ranges::any_of(nodes, [&](const auto& node) {
    return node->nat == network && std::ranges::any_of(node->underlay, [&](const Prefix& own) {
             return own.address == address;
           });
  });
}

void World::arrive(const Nat* network, const Endpoint& source, const Endpoint& to,
                   const std::vector<std::uint8_t>& datagram) {
  for (const auto& node : nodes) {
    const bool here = std::ranges::any_of(
        node->underlay, [&](const Prefix& own) { return own.address == to.address; });
    const auto socket = node->engine.socket_at(to.port);
    if (!node->up || !here || node->nat != network || !socket) continue;
    Endpoint from = source;
    from.socket = *socket;
    node->engine.from_wire(from, datagram);
  }
  if (network != nullptr) return;
  for (const auto& nat : nats) {
    if (nat->external() != to.address) continue;
    if (const auto inside = nat->in(source, to.bare(), now))
      arrive(nat.get(), source, *inside, datagram);
  }
}

void World::step(Instant limit) {
  Instant next = limit;
  if (!events_.empty()) next = std::min(next, events_.begin()->first);
  for (const auto& node : nodes) {
    if (node->up) next = std::min(next, std::max(now, node->overlay->deadline()));
  }
  now = std::max(now, next);
  for (const auto& node : nodes)
    node->overlay->set_time(clock());
  while (!events_.empty() && events_.begin()->first <= now) {
    const auto event = events_.extract(events_.begin());
    event.mapped()();
  }
  for (const auto& node : nodes) {
    if (node->up && node->overlay->deadline() <= now) node->overlay->service(clock());
  }
}

void World::run_for(Duration time) {
  const Instant end = now + time;
  // Events at one instant may follow each other, but time has to go on.
  for (Instant before = now; now < end; before = now) {
    step(end);
    if (now == before) now += 1ms;
  }
}

bool World::run_until(const std::function<bool()>& done, Duration limit) {
  const Instant end = now + limit;
  while (!done()) {
    if (now >= end) return false;
    run_for(std::min<Duration>(1ms, end - now));
  }
  return true;
}

}  // namespace ipop::sim
