#include "overlay/directory/dht_node.hpp"

#include "overlay/directory/asked_keys.hpp"

#include <sodium.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "overlay/directory/dht_message.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

// The public OpenDHT network, run by the makers of OpenDHT.
constexpr std::string_view kPublicBootstrap = "bootstrap.jami.net";
constexpr std::uint16_t kPublicBootstrapPort = 4222;

// OpenDHT sends at most 1,280 bytes and a little.
constexpr std::size_t kMaxDatagram = 2048;
constexpr double kDatagramsPerSecond = 5000;
constexpr std::size_t kRememberedPerCall = 8;
constexpr unsigned kGreetedPerCall = 4;
constexpr std::size_t kProbes = 2;
constexpr Duration kResolveInterval = 30s;
constexpr Duration kResolverPoll = 10ms;
constexpr Duration kFirstSave = 10s;
constexpr Duration kSaveInterval = 10min;
// What strangers may make this node hold for them.
constexpr ssize_t kMaxStoreBytes = 8 << 20;
constexpr ssize_t kMaxStoreKeys = 8192;
// Searches are kept for an hour after use. With more than this OpenDHT 2.4.12 takes the first one
// for another key, whatever it is in use for: AskedKeys sees to it that there never are.
constexpr ssize_t kMaxSearches = 2 * AskedKeys::kMost;

dht::time_point to_dht(Instant now) {
  // Both are CLOCK_MONOTONIC.
  return dht::time_point(std::chrono::duration_cast<dht::duration>(now.time_since_epoch()));
}

dht::Config dht_config(const OpenDhtConfig& config) {
  dht::Config made;
  randombytes_buf(made.node_id.data(), made.node_id.size());
  made.network = config.network;
  made.max_store_size = kMaxStoreBytes;
  made.max_store_keys = kMaxStoreKeys;
  made.max_searches = kMaxSearches;
  return made;
}

std::uint64_t random_seed() {
  std::uint64_t seed = 0;
  randombytes_buf(&seed, sizeof seed);
  return seed;
}

}  // namespace

DhtNode::DhtNode(const OpenDhtConfig& config, DhtSocket::Send send, DirectoryCounters& counters)
    : config_(config),
      send_(std::move(send)),
      counters_(counters),
      schedule_(random_seed(), config.silence),
      cache_(config.node_cache),
      remembered_(cache_.load()) {
  for (const conf::HostPort& host : config_.bootstrap)
    bootstrap_.push_back({.host = host});
  if (bootstrap_.empty())
    bootstrap_.push_back({.host = {std::string(kPublicBootstrap), kPublicBootstrapPort}});
  make_dht();
}

void DhtNode::make_dht() {
  if (socket_ != nullptr) sent_before_ += socket_->sent();
  auto socket = std::make_unique<DhtSocket>(send_, config_.ipv4, config_.ipv6);
  socket_ = socket.get();
  dht_ = std::make_unique<dht::Dht>(std::move(socket), dht_config(config_),
                                    std::shared_ptr<dht::Logger>());
}

DhtNode::~DhtNode() {
  if (connected()) save_nodes();
}

bool DhtNode::admit_datagram(ByteView datagram, Instant now) noexcept {
  if (now > datagrams_filled_) {
    const std::chrono::duration<double> passed = now - datagrams_filled_;
    datagram_tokens_ =
        std::min(kDatagramsPerSecond, datagram_tokens_ + passed.count() * kDatagramsPerSecond);
    datagrams_filled_ = now;
  }
  if (datagram_tokens_ < 1 || datagram.size() > kMaxDatagram) return false;
  datagram_tokens_ -= 1;
  return is_dht_message(datagram);
}

void DhtNode::on_datagram(const Endpoint& source, ByteView datagram, Instant now) {
  if (!admit_datagram(datagram, now)) {
    ++counters_.datagrams_refused;
    return;
  }
  ++counters_.datagrams_in;
  schedule_.heard(now);
  (void)pump(datagram, source, now);
  // Whoever calls first is likely a node. OpenDHT would wait a second before it asks; the first
  // node of a new network has nobody else to be connected by.
  if (connected() || greeted_ == kGreetedPerCall) return;
  count_good_nodes();
  if (good_nodes_ != 0) return;
  ++greeted_;
  ping(source);
}

// OpenDHT parses what strangers send, and throws at times. One bad datagram or timer must not end
// the daemon.
Instant DhtNode::pump(ByteView datagram, const Endpoint& source, Instant now) {
  try {
    const dht::time_point next =
        datagram.empty()
            ? dht_->periodic(nullptr, 0, dht::SockAddr(), to_dht(now))
            : dht_->periodic(datagram.data(), datagram.size(), to_dht(source), to_dht(now));
    return next == dht::time_point::max() ? Instant::max() : Instant(next.time_since_epoch());
  } catch (const std::exception& error) {
    ++counters_.dht_errors;
    if (errors_.allow(now)) log::warning("OpenDHT: {}", error.what());
    return now;
  }
}

void DhtNode::count_good_nodes() {
  good_nodes_ = 0;
  for (const sa_family_t family : {sa_family_t{AF_INET}, sa_family_t{AF_INET6}}) {
    dht_->updateStatus(family);
    good_nodes_ += dht_->getNodesStats(family).good_nodes;
  }
}

void DhtNode::run(Instant now) {
  (void)pump({}, {}, now);
  count_good_nodes();
  take_answers();
  const BootstrapSchedule::Step step = schedule_.step(good_nodes_ != 0, now);
  if (std::exchange(counters_.isolations, schedule_.isolations()) != schedule_.isolations()) {
    // Searches and listenings of a node that was cut off for so long are stale, and OpenDHT cannot
    // be made to end them. A fresh node costs one round trip.
    if (std::vector<Endpoint> nodes = known_nodes(); !nodes.empty()) remembered_ = std::move(nodes);
    ++generation_;
    make_dht();
  }
  switch (step) {
    case BootstrapSchedule::Step::kBootstrap:
      call_bootstrap_nodes(now);
      break;
    case BootstrapSchedule::Step::kProbe:
      probe();
      break;
    case BootstrapSchedule::Step::kNone:
      break;
  }
  remember_nodes(now);
}

Instant DhtNode::flush(Instant now) {
  const Instant next = std::min({pump({}, {}, now), schedule_.next(), save_at_});
  counters_.datagrams_out = sent_before_ + socket_->sent();
  return resolver_.busy() ? std::min(next, now + kResolverPoll) : next;
}

void DhtNode::ping(const Endpoint& endpoint) {
  if (endpoint.address.is_v4() ? config_.ipv4 : config_.ipv6) {
    dht_->pingNode(to_dht(endpoint));
  }
}

void DhtNode::take_answers() {
  for (Resolver::Answer& answer : resolver_.take()) {
    const auto of = [&](const Bootstrap& bootstrap) {
      return bootstrap.host.host == answer.asked.host && bootstrap.host.port == answer.asked.port;
    };
    const auto at = std::ranges::find_if(bootstrap_, of);
    if (at == bootstrap_.end()) continue;
    if (!answer.endpoints) {
      log::warning("bootstrap node: {}", answer.endpoints.error().message);
      continue;
    }
    const bool known = at->endpoints == *answer.endpoints;
    at->endpoints = std::move(*answer.endpoints);
    if (known || connected()) continue;
    for (const Endpoint& endpoint : at->endpoints)
      ping(endpoint);
  }
}

void DhtNode::call_bootstrap_nodes(Instant now) {
  ++counters_.bootstrap_calls;
  greeted_ = 0;
  for (Bootstrap& bootstrap : bootstrap_) {
    for (const Endpoint& endpoint : bootstrap.endpoints)
      ping(endpoint);
    if (bootstrap.asked && now - bootstrap.asked_at < kResolveInterval) continue;
    if (!resolver_.start(bootstrap.host)) continue;
    bootstrap.asked = true;
    bootstrap.asked_at = now;
  }
  take_answers();  // literal addresses have theirs already
  const std::size_t count = std::min(kRememberedPerCall, remembered_.size());
  for (std::size_t i = 0; i < count; ++i) {
    ping(remembered_[next_remembered_++ % remembered_.size()]);
  }
}

std::vector<Endpoint> DhtNode::bootstrap_endpoints() const {
  std::vector<Endpoint> all;
  if (config_.bootstrap.empty()) return all;
  for (const Bootstrap& bootstrap : bootstrap_)
    all.insert(all.end(), bootstrap.endpoints.begin(), bootstrap.endpoints.end());
  return all;
}

// Unanswered pings also make OpenDHT see that its good nodes are gone.
void DhtNode::probe() {
  const std::vector<Endpoint> nodes = known_nodes();
  for (std::size_t i = 0; i < std::min(kProbes, nodes.size()); ++i) {
    ping(nodes[randombytes_uniform(static_cast<std::uint32_t>(nodes.size()))]);
  }
}

std::vector<Endpoint> DhtNode::known_nodes() const {
  std::vector<Endpoint> nodes;
  for (const dht::NodeExport& node : dht_->exportNodes()) {
    if (nodes.size() == NodeCache::kMaxNodes) break;
    nodes.push_back(from_dht(dht::SockAddr(node.ss, node.sslen)));
  }
  return nodes;
}

// Good nodes are copied while there are some: when all fall silent, OpenDHT forgets them.
void DhtNode::remember_nodes(Instant now) {
  if (!connected()) {
    save_at_ = Instant::max();
    return;
  }
  if (save_at_ == Instant::max()) save_at_ = now + kFirstSave;
  if (now < save_at_) return;
  save_at_ = now + kSaveInterval;
  save_nodes();
}

void DhtNode::save_nodes() {
  std::vector<Endpoint> nodes = known_nodes();
  if (nodes.empty()) return;
  remembered_ = std::move(nodes);
  if (const auto saved = cache_.save(remembered_); !saved) {
    log::warning("DHT nodes cannot be remembered: {}", saved.error().message);
  }
}

}  // namespace ipop::overlay
