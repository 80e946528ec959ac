// One node of the DHT over our own port: joins, stays joined, notices when it is cut off, and
// remembers good nodes across restarts. Wraps dht::Dht, the part of OpenDHT below DhtRunner: it has
// no threads, no socket and no queues of its own, and is driven by what it is handed. Overlay
// thread. What is stored and looked up is OpenDhtDirectory's matter.
#pragma once

#include <opendht/dht.h>

#include <map>
#include <memory>
#include <vector>

#include "base/log.hpp"
#include "overlay/directory/bootstrap_schedule.hpp"
#include "overlay/directory/dht_socket.hpp"
#include "overlay/directory/node_cache.hpp"
#include "overlay/directory/opendht_directory.hpp"
#include "overlay/directory/resolver.hpp"

namespace ipop::overlay {

class DhtNode {
 public:
  DhtNode(const OpenDhtConfig& config, DhtSocket::Send send, DirectoryCounters& counters);
  DhtNode(const DhtNode&) = delete;
  DhtNode& operator=(const DhtNode&) = delete;
  ~DhtNode();

  void on_datagram(const Endpoint& source, ByteView datagram, Instant now);
  // Does what is due.
  void run(Instant now);
  // Sends what was asked for since run(), and returns when it wants to be called again.
  [[nodiscard]] Instant flush(Instant now);

  // As of the last run().
  // The configured ones, as far as their names are known.
  [[nodiscard]] std::vector<Endpoint> bootstrap_endpoints() const;
  [[nodiscard]] bool connected() const noexcept { return schedule_.connected(); }
  [[nodiscard]] unsigned good_nodes() const noexcept { return good_nodes_; }
  // Changes when dht() becomes another one, with nothing stored, asked or listened to.
  [[nodiscard]] unsigned generation() const noexcept { return generation_; }
  // For get, put and listen. Their callbacks must not call back into it.
  [[nodiscard]] dht::Dht& dht() noexcept { return *dht_; }

 private:
  struct Bootstrap {
    conf::HostPort host;
    std::vector<Endpoint> endpoints;  // as last resolved
    Instant asked_at{};
    bool asked = false;
  };

  [[nodiscard]] Instant pump(ByteView datagram, const Endpoint& source, Instant now);
  void make_dht();
  void count_good_nodes();
  void take_answers();
  void call_bootstrap_nodes(Instant now);
  void ping(const Endpoint& endpoint);
  void probe();
  [[nodiscard]] bool admit_datagram(ByteView datagram, Instant now) noexcept;
  [[nodiscard]] std::vector<Endpoint> known_nodes() const;
  void remember_nodes(Instant now);
  void save_nodes();

  const OpenDhtConfig config_;
  const DhtSocket::Send send_;
  DirectoryCounters& counters_;
  BootstrapSchedule schedule_;
  Resolver resolver_;
  NodeCache cache_;
  std::vector<Bootstrap> bootstrap_;
  std::vector<Endpoint> remembered_;  // called besides the bootstrap nodes
  std::size_t next_remembered_ = 0;
  unsigned greeted_ = 0;  // strangers pinged since the last call
  unsigned good_nodes_ = 0;
  unsigned generation_ = 0;
  std::uint64_t sent_before_ = 0;  // by the sockets of earlier generations
  Instant save_at_ = Instant::max();
  double datagram_tokens_ = 0;
  Instant datagrams_filled_{};
  log::Limiter errors_;
  DhtSocket* socket_ = nullptr;  // dht_'s
  std::unique_ptr<dht::Dht> dht_;
};

}  // namespace ipop::overlay
