// The forwarding table of the product: ForwardingTable for the overlay thread on one side, and what
// lcores read, without locks, on the other. What is replaced or removed is freed through RCU.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

#include "engine/aead/aead.hpp"
#include "engine/api/forwarding_table.hpp"
#include "engine/firewall/firewall.hpp"
#include "engine/path/relay_budget.hpp"
#include "engine/table/index_table.hpp"
#include "engine/table/labels.hpp"
#include "engine/table/peer_view.hpp"
#include "engine/table/reclaim.hpp"
#include "engine/table/routes.hpp"
#include "engine/table/session.hpp"

namespace ipop::engine {

struct TableSizes {
  std::uint32_t peers = 65'536;
  std::uint32_t sessions = 196'608;  // three a peer: previous, current, next
  std::uint32_t hosts = 131'072;     // an IPv4 and an IPv6 address a peer
  std::uint32_t prefixes = 16'384;
  std::uint32_t labels = 65'536;  // two a pair that we relay for
};

using SessionTable = IndexTable<ReceiverIndex, Session>;

// What lcores read.
struct TableReader {
  const Routes& routes;
  const PeerViews& peers;
  const SessionTable& sessions;
  const LabelTable& labels;
  const firewall::Firewall& firewall;
  RelayBudget& relay_budget;  // all that lcores write together, and only where there is a limit
};

class DpdkForwardingTable final : public ForwardingTable {
 public:
  // Throws std::runtime_error. EAL must run. `aead` expands keys; for the overlay thread alone.
  DpdkForwardingTable(const TableSizes& sizes, std::uint32_t max_lcores,
                      std::unique_ptr<AeadEngine> aead);
  // Lcores must have stopped.
  ~DpdkForwardingTable() override;

  [[nodiscard]] TableReader reader() noexcept {
    return {routes_, views_, sessions_, labels_, firewall_, relay_budget_};
  }
  [[nodiscard]] rte_rcu_qsbr* qsbr() const noexcept { return reclaimer_.qsbr(); }
  // For others who free what lcores may be using.
  [[nodiscard]] Reclaimer& reclaimer() noexcept { return reclaimer_; }
  [[nodiscard]] std::size_t pending() const noexcept { return reclaimer_.pending(); }
  // EAL memory that it may come to need.
  [[nodiscard]] static std::size_t memory(const TableSizes& sizes) noexcept {
    return HostTable::memory(sizes.hosts);
  }

  [[nodiscard]] Result<PeerIndex> add_peer() override;
  void remove_peer(PeerIndex peer) override;
  [[nodiscard]] Result<ReceiverIndex> reserve_session() override;
  void publish_session(const SessionSpec& spec) override;
  void retire_session(ReceiverIndex session) override;
  void use_session(PeerIndex peer, ReceiverIndex session) override;
  void use_session_once_confirmed(PeerIndex peer, ReceiverIndex session) override;
  void set_path(PeerIndex peer, const Path& path) override;
  void set_lane_ports(PeerIndex peer, const LanePorts& ports) override;
  [[nodiscard]] Result<void> add_route(const Prefix& prefix, PeerIndex peer) override;
  void remove_route(const Prefix& prefix, PeerIndex peer) override;
  [[nodiscard]] Result<RelayLabel> reserve_label() override;
  void set_label(RelayLabel label, const LabelSpec& spec) override;
  void retire_label(RelayLabel label) override;
  [[nodiscard]] LabelActivity label_activity(RelayLabel label) const override;
  void set_relay_limit(std::uint64_t bits_per_s) override;
  [[nodiscard]] SessionActivity activity(ReceiverIndex session) const override;
  [[nodiscard]] PeerCounters counters(PeerIndex peer) const override;
  void reclaim() override;

  // Other rules for all packets from now on, flows that they allow go on; `marks_of` says what each
  // peer is to them. Rules that allow everything are none. Throws std::bad_alloc.
  using MarksOf = std::function<firewall::PeerMarks(const firewall::RuleSet&, PeerIndex)>;
  void set_firewall(const conf::Firewall& rules, const MarksOf& marks_of);
  // The peer is another to the rules in force. Flows are judged again if that is so.
  void set_marks(PeerIndex peer, const firewall::PeerMarks& marks);
  // nullptr: there are none.
  [[nodiscard]] const firewall::RuleSet* firewall_rules() const noexcept;
  [[nodiscard]] FirewallCounts firewall_counts(Instant now) const {
    return firewall_.counts(firewall::flow_seconds(now));
  }

 private:
  // The writer's own knowledge of a peer.
  struct Peer {
    PeerView view;
    std::vector<const Session*> sessions;  // also retired ones until they are freed
    std::vector<Prefix> routes;            // masked
    std::vector<RelayLabel> labels;        // that lead from it or to it
    PeerCounters past;                     // of sessions that were freed
  };

  void show(PeerIndex index, const Peer& peer);
  void choose_homes(Peer& peer) const;
  void show_label(RelayLabel label, const LabelSpec& spec);
  [[nodiscard]] Endpoint direct_path(PeerIndex peer) const;
  void unlink(RelayLabel label, const LabelSpec& spec);

  Reclaimer reclaimer_;
  Routes routes_;
  PeerViews views_;
  SessionTable sessions_;
  LabelTable labels_;
  firewall::Firewall firewall_;
  std::uint32_t last_stamp_ = 0;  // of peers' marks
  RelayBudget relay_budget_;
  std::unique_ptr<AeadEngine> aead_;
  std::unordered_map<std::uint32_t, Peer> peers_;
  std::unordered_map<std::uint32_t, LabelSpec> specs_;  // by label
  std::uint32_t fresh_ = 0;                             // peer indexes never used yet begin here
  std::deque<std::uint32_t> returned_;
};

}  // namespace ipop::engine
