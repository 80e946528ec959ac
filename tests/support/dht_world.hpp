// Several OpenDhtDirectory nodes in one process, joined by a wire in memory with a fixed delay, in
// real time (OpenDHT reads the clock itself). Nodes can be cut off and brought back.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include "overlay/directory/opendht_directory.hpp"

namespace ipop::overlay {

class DhtWorld {
 public:
  struct Node {
    Endpoint at;
    bool cut_off = false;
    std::unique_ptr<OpenDhtDirectory> directory;
  };

  explicit DhtWorld(Duration delay = {}) : delay_(delay) {}

  // The endpoint that the node number `n`, counted from 0, has.
  [[nodiscard]] static Endpoint endpoint(std::uint16_t n) {
    return {IpAddress::v4(0x0a000001u + n), 4545};
  }

  // The next node; bootstraps at node 0 unless `config` names others.
  Node& add(OpenDhtConfig config = {}) {
    auto node = std::make_unique<Node>();
    node->at = endpoint(static_cast<std::uint16_t>(nodes_.size()));
    start(*node, std::move(config));
    nodes_.push_back(std::move(node));
    return *nodes_.back();
  }

  // A new directory, with a new DHT id, at the endpoint of the old one.
  void start(Node& node, OpenDhtConfig config = {}) {
    config.network = 5;
    if (config.bootstrap.empty()) {
      config.bootstrap = {{endpoint(0).address.to_string(), endpoint(0).port}};
    }
    node.directory = nullptr;
    node.directory = std::make_unique<OpenDhtDirectory>(
        config, [this, &node](const Endpoint& to, ByteView datagram) {
          if (!node.cut_off) send(node.at, to, datagram);
        });
  }

  void send(const Endpoint& from, const Endpoint& to, ByteView datagram) {
    wire_.push_back({read_monotonic() + delay_, from, to, {datagram.begin(), datagram.end()}});
  }

  // Datagrams for an endpoint that is no node's.
  void attach(const Endpoint& at, std::function<void(const Endpoint&, ByteView)> receive) {
    others_[at] = std::move(receive);
  }

  // Runs everything until `done`; false if that took longer than `limit`.
  [[nodiscard]] bool run_until(const std::function<bool()>& done,
                               Duration limit = std::chrono::seconds(10)) {
    const Instant end = read_monotonic() + limit;
    while (!done()) {
      const Instant now = read_monotonic();
      if (now >= end) return false;
      if (!deliver(now) && !run(now)) std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    return true;
  }

  [[nodiscard]] bool run_until_all_connected() {
    return run_until([this] {
      for (const auto& node : nodes_) {
        if (!node->directory->status().connected) return false;
      }
      return true;
    });
  }

  [[nodiscard]] const std::vector<std::unique_ptr<Node>>& nodes() const { return nodes_; }

 private:
  struct Datagram {
    Instant arrives;
    Endpoint from;
    Endpoint to;
    std::vector<std::uint8_t> bytes;
  };

  bool deliver(Instant now) {
    bool any = false;
    while (!wire_.empty() && wire_.front().arrives <= now) {
      const Datagram datagram = std::move(wire_.front());
      wire_.pop_front();
      any = true;
      for (const auto& node : nodes_) {
        if (node->at == datagram.to && !node->cut_off) {
          node->directory->on_datagram(datagram.from, datagram.bytes, now);
        }
      }
      if (const auto other = others_.find(datagram.to); other != others_.end()) {
        other->second(datagram.from, datagram.bytes);
      }
    }
    return any;
  }

  bool run(Instant now) {
    bool any = false;
    for (const auto& node : nodes_) {
      if (node->directory->due() > now) continue;
      (void)node->directory->run(now);
      any = true;
    }
    return any;
  }

  Duration delay_;
  std::deque<Datagram> wire_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<Endpoint, std::function<void(const Endpoint&, ByteView)>> others_;
};

}  // namespace ipop::overlay
