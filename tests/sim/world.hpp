// A world under virtual time: nodes with whole overlays, a network between them that delays, loses
// and cuts, and one directory. Nothing here reads a clock: `run_for` and `run_until` move time from
// event to event.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "overlay/overlay.hpp"
#include "tests/sim/nat.hpp"
#include "tests/sim/sim_engine.hpp"

namespace ipop::sim {

class World;

// The DHT as a map: old values stay for ten minutes beside new ones, anybody can store anything.
class SimDirectory final : public overlay::Directory {
 public:
  explicit SimDirectory(World& world) : world_(world) {}

  void publish(const overlay::DirectoryKey& key, overlay::DirectoryValue value) override;
  void withdraw(const overlay::DirectoryKey& key) override;
  void post(const overlay::DirectoryKey& key, overlay::DirectoryValue value) override;
  void lookup(const overlay::DirectoryKey& key, OnValue found, OnDone done) override;
  void listen(const overlay::DirectoryKey& key, OnValue found) override;
  [[nodiscard]] overlay::DirectoryStatus status() const override { return {reachable, 1}; }

  bool reachable = true;
  bool hears = true;                      // false: what is stored gets to no node that others ask
  std::set<overlay::DirectoryKey> kept;   // what is to be kept alive
  std::set<overlay::DirectoryKey> asked;  // for what is there

 private:
  World& world_;
};

struct NodeOptions {
  std::string name;
  std::string address;                // inner, "192.168.10.10/24"
  std::vector<std::string> underlay;  // "10.0.0.1/24"; the first is what it sends from
  std::string network = "a test network";
  WallTime claimed_at{};  // nothing = now
  std::vector<overlay::StaticPeer> static_peers;
  std::uint8_t suites = 3;
  const overlay::Identity* identity = nullptr;  // nothing = a new one
  std::filesystem::path state;                  // for known peers; nothing = none kept
  Nat* nat = nullptr;                           // what it is behind; nothing = the internet
  std::vector<Endpoint> stun;
  overlay::RelaySettings relay{};
  overlay::GuessingEffort port_guessing = overlay::GuessingEffort::kGentle;
  bool lan_discovery = false;
  overlay::Lanes lanes{};
  // Whom it trusts, and the certificate of its own key; nothing = no certificates.
  std::function<overlay::TrustSettings(const overlay::Identity&, const overlay::NetworkKey&)> trust;
};

class Node {
 public:
  Node(World& world, NodeOptions options);

  // A host packet to an inner address; returns its number.
  std::uint32_t send(const std::string& to);
  [[nodiscard]] bool received(std::uint32_t number) const;
  [[nodiscard]] overlay::Status status() const;
  [[nodiscard]] const overlay::PeerStatus* peer(const std::string& address) const;
  void move_to(const std::string& underlay);  // its address changes, and it notices
  void move_behind(Nat& other, const std::string& underlay);
  [[nodiscard]] Endpoint endpoint() const { return {underlay.front().address, 4545}; }

  World& world;
  const NodeOptions options;
  std::vector<Prefix> underlay;
  Nat* nat;
  overlay::Identity identity;
  overlay::NetworkKey network;
  SimDirectory directory;
  SimEngine engine;
  std::unique_ptr<overlay::Overlay> overlay;
  std::vector<std::string> fatal;
  bool up = true;
};

class World {
 public:
  World();
  ~World();

  Node& add(NodeOptions options);
  Nat& add_nat(const std::string& external, By mapping, By filtering, Ports ports = {});
  // As if killed: nothing is said to anybody.
  void kill(Node& node);
  // As if it had slept since kill().
  void revive(Node& node);

  void run_for(Duration time);
  // False if `done` did not come true in time.
  [[nodiscard]] bool run_until(const std::function<bool()>& done,
                               Duration limit = std::chrono::seconds(10));

  void at(Instant when, std::function<void()> what);
  // To all others on the links of `from`.
  void multicast(Node& from, std::vector<std::uint8_t> datagram);
  void deliver(Node& from, const Endpoint& to, std::vector<std::uint8_t> datagram);
  [[nodiscard]] Now clock() const {
    return {now, WallTime(std::chrono::hours(24 * 20000)) + (now - Instant{})};
  }

  Instant now{std::chrono::seconds(1000)};
  Duration latency = std::chrono::milliseconds(25);            // one way
  Duration directory_latency = std::chrono::milliseconds(60);  // of any operation
  // True for datagrams that get lost.
  std::function<bool(const Node& from, const Endpoint& to, ByteView)> loses;
  std::map<overlay::DirectoryKey, std::vector<std::pair<Instant, overlay::DirectoryValue>>> stored;
  std::multimap<overlay::DirectoryKey, std::pair<SimDirectory*, overlay::Directory::OnValue>>
      listeners;
  std::vector<std::unique_ptr<Node>> nodes;
  std::vector<std::unique_ptr<Nat>> nats;
  std::uint64_t datagrams = 0;
  std::uint64_t multicasts = 0;

 private:
  // On one network: a NAT's inside, or the internet (nullptr).
  void arrive(const Nat* network, const Endpoint& source, const Endpoint& to,
              const std::vector<std::uint8_t>& datagram);
  [[nodiscard]] bool is_on(const Nat* network, const IpAddress& address) const;
  void step(Instant limit);

  std::multimap<Instant, std::function<void()>> events_;
};

}  // namespace ipop::sim
