// The directory in OpenDHT's distributed hash table, over our own UDP port: DHT datagrams (first
// byte 0x80 to 0x8f) go out by a function and come in by on_datagram(). Overlay thread; no threads
// or sockets of its own, but for a short-lived thread per bootstrap host name. Callbacks come from
// run() only. Times are the process's monotonic clock, which OpenDHT also reads by itself.
#pragma once

#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "conf/config.hpp"
#include "overlay/directory/asked_keys.hpp"
#include "overlay/directory/bootstrap_schedule.hpp"
#include "overlay/directory/directory.hpp"
#include "overlay/directory/value_gate.hpp"

namespace ipop::overlay {

// How often what OpenDHT should keep going by itself is done again.
struct UpkeepIntervals {
  Duration republish = std::chrono::minutes(4);  // nodes keep a value for ten
  Duration poll = std::chrono::seconds(30);      // of a key listened to: a listening can go quiet
};

struct OpenDhtConfig {
  std::uint32_t network = 0;  // OpenDHT's network id; nodes of another do not talk to us
  bool ipv4 = true;           // families that the wire port has
  bool ipv6 = false;
  std::vector<conf::HostPort> bootstrap;  // empty = the public OpenDHT network
  std::filesystem::path node_cache;       // file to remember good nodes in; empty = none
  UpkeepIntervals upkeep;
  SilenceLimits silence;
};

// Since the start.
struct DirectoryCounters {
  std::uint64_t datagrams_in = 0;
  std::uint64_t datagrams_out = 0;
  std::uint64_t datagrams_refused = 0;  // not a DHT message, too large, or too many a second
  std::uint64_t values_passed = 0;
  std::uint64_t values_polled = 0;  // of these, found by a poll where a push was due
  std::uint64_t values_duplicate = 0;
  std::uint64_t values_unfit = 0;     // of a type, size or form that IPOP never stores
  std::uint64_t values_too_many = 0;  // held back, see ValueGate
  std::uint64_t puts = 0;
  std::uint64_t puts_failed = 0;
  std::uint64_t lookups = 0;
  std::uint64_t lookups_failed = 0;      // could not be asked, or ran out of time
  std::uint64_t operations_refused = 0;  // over a limit of this class
  std::uint64_t bootstrap_calls = 0;
  std::uint64_t isolations = 0;  // connections lost because all nodes fell silent
  std::uint64_t dht_errors = 0;  // exceptions out of OpenDHT
};

class DhtNode;

class OpenDhtDirectory final : public Directory {
 public:
  // Sends a datagram by the wire port. Called from within all functions here; must not call back.
  using Send = std::function<void(const Endpoint& to, ByteView datagram)>;

  static constexpr std::size_t kMaxPublications = 1024;
  static constexpr std::size_t kMaxListeners = 64;
  static constexpr std::size_t kMaxLookups = 1024;
  static constexpr std::size_t kMaxWaitingPosts = 64;

  OpenDhtDirectory(const OpenDhtConfig& config, Send send);
  ~OpenDhtDirectory() override;

  // A datagram whose first byte says that it is the DHT's. Call run() after one or more.
  void on_datagram(const Endpoint& source, ByteView datagram, Instant now);
  // Does what is due, delivers values, and returns when it wants to be called again: 1 to 250 ms
  // ahead.
  [[nodiscard]] Instant run(Instant now);
  // The same time; sooner if something was asked of the directory since.
  [[nodiscard]] Instant due() const noexcept { return due_; }

  void publish(const DirectoryKey& key, DirectoryValue value) override;
  void withdraw(const DirectoryKey& key) override;
  void post(const DirectoryKey& key, DirectoryValue value) override;
  void lookup(const DirectoryKey& key, OnValue found, OnDone done) override;
  void listen(const DirectoryKey& key, OnValue found) override;
  [[nodiscard]] DirectoryStatus status() const override;

  // Those of the configuration whose names are known by now; empty where the public network is
  // used.
  [[nodiscard]] std::vector<Endpoint> bootstrap_endpoints() const;
  [[nodiscard]] const DirectoryCounters& counters() const noexcept { return counters_; }

 private:
  struct Publication {
    DirectoryValue value;
    std::uint64_t id = 0;  // OpenDHT's value id of the copy in the network; 0 = not put yet
    Instant put_at{};      // when to put it (again)
  };
  struct Posting {
    DirectoryKey key;
    DirectoryValue value;
    Instant until = Instant::max();  // given up then; set by the next run()
  };
  struct Lookup {
    DirectoryKey key;
    OnValue found;
    OnDone done;
    Instant until = Instant::max();  // set by the next run()
    bool asked = false;
    bool finished = false;
    ValueGate gate;
  };
  struct Listener {
    DirectoryKey key;
    OnValue found;
    std::size_t token = 0;        // OpenDHT's; 0 = not listening
    bool in_second_form = false;  // of the query, see start_listening()
    Instant listen_at{};          // when to listen (again)
    Instant poll_at{};
    ValueGate gate;
  };
  using Id = std::uint64_t;
  using Event = std::function<void()>;

  void put(const DirectoryKey& key, Publication& publication);
  void put_once(const Posting& posting);
  void ask(Id id, Lookup& lookup);
  void finish(Id id, bool complete);
  void start_listening(Id id, Listener& listener);
  void poll(Id id, const Listener& listener);
  void pass_to_lookup(Id id, ByteView value, bool fits);
  // Whether the value was new.
  bool pass_to_listener(Id id, ByteView value, bool fits);
  [[nodiscard]] bool admit(ValueGate& gate, ByteView value, bool fits);
  void forget_dht();
  void start_over();
  void do_what_is_due();
  void limit_waiting();
  void deliver();

  const UpkeepIntervals upkeep_;
  DirectoryCounters counters_;
  Instant now_{};           // of the last on_datagram() or run()
  Instant connected_at_{};  // the last run() that found the node connected; epoch = not run yet
  Instant due_{};
  bool was_connected_ = false;
  unsigned generation_ = 0;  // of the DHT node that tokens and ids below are of
  Id next_id_ = 1;
  AskedKeys asked_;
  std::map<DirectoryKey, Publication> publications_;
  std::deque<Posting> postings_;
  std::map<Id, Lookup> lookups_;
  std::map<Id, Listener> listeners_;
  // What OpenDHT's callbacks found, delivered when it is not at work any more.
  std::deque<Event> events_;
  std::unique_ptr<DhtNode> node_;
};

}  // namespace ipop::overlay
