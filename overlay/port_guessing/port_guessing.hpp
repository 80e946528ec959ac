// Two ends of which one at least is behind a NAT that maps each destination to another port: both
// send from and to many ports at once, until a datagram of one fits a mapping of the other. They
// agree on it over their relayed session. Bounded: four peers at a time, 256 sockets for all of
// them, 25 seconds, and only towards the address at which a relay sees the peer, which gets no more
// than a budget. Overlay thread; time is passed in.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/api/wire_sockets.hpp"
#include "overlay/nat/guessing_plan.hpp"
#include "overlay/nat/mappings.hpp"
#include "overlay/nat/stun_message.hpp"
#include "overlay/peer/context.hpp"
#include "overlay/peer/message.hpp"
#include "overlay/peer/peer_table.hpp"
#include "overlay/peer/probe_budget.hpp"
#include "overlay/port_guessing/port_guesser.hpp"

namespace ipop::overlay {

class PortGuessing {
 public:
  static constexpr std::size_t kMostRuns = 4;
  static constexpr unsigned kSamples = 24;
  static constexpr std::chrono::seconds kProbeFor{25};
  // Of finding each other; below it nothing is tried.
  static constexpr double kLeastChance = 0.1;
  // To one address in ten minutes, unless it led to a direct path: where we are gentle, and where
  // we are thorough.
  static constexpr unsigned kMostProbes = 8000;
  static constexpr unsigned kMostProbesThorough = kMostGuesses + kMostProbes;
  // Between two runs with a peer, after the first, the second, and so on.
  static constexpr Duration kRestAfter[] = {std::chrono::minutes(1), std::chrono::minutes(10),
                                            std::chrono::hours(1)};

  struct Own {
    NatMapping mapping = NatMapping::kUnknown;  // of IPv4
    std::uint16_t port = 0;                     // as others see it, if it is one port for all
    std::vector<Endpoint> observers;            // STUN servers that answer
  };
  struct Hooks {
    std::function<Own()> own;
    // The peer's NAT, as its relay sees it; nothing if none said so.
    std::function<std::optional<IpAddress>(const Peer&)> seen_at;
    // Something that only the peer could know came from there.
    std::function<void(Peer&, const Endpoint&)> on_found;
  };

  PortGuessing(Context& context, PeerTable& peers, GuessingEffort effort, Hooks hooks);

  // If it is less than before, what is going on ends at once; paths that were found stay.
  void set_effort(GuessingEffort effort, Instant now);
  // The leading end of a relayed path (PathChooser::chooses) asks for a run, when it is time to.
  void consider(Peer& peer, Instant now);
  void on_offer(Peer& peer, const message::PortsOffer& offer, Instant now);
  // A datagram that is_message(); false: it has nothing to do with this.
  [[nodiscard]] bool on_stun(const Endpoint& source, ByteView datagram, Instant now);
  void service(Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;
  // Before the peer is removed.
  void forget(const Peer& peer, Instant now);
  // What it does about this peer, or why it does nothing, for people; perhaps empty.
  [[nodiscard]] std::string describe(const Peer& peer, Instant now) const;

 private:
  enum class Phase { kSampling, kAsking, kProbing };
  struct Run {
    engine::PeerIndex peer = engine::kNoPeer;
    bool leads = false;
    IpAddress target;
    stun::TransactionId id{};  // what their probes carry
    std::optional<message::PortsOffer> theirs;
    std::optional<PortModel> ours;
    Phase phase = Phase::kSampling;
    Instant since{};               // of the phase
    Instant next{};                // when there is something to do
    unsigned sent = 0;             // in this phase
    std::size_t first_socket = 0;  // of those that samples are taken with
    std::vector<Endpoint> observers;
    std::vector<stun::TransactionId> sample_ids;
    std::vector<std::optional<std::uint16_t>> samples;
    GuessingPlan plan;
    std::optional<PortGuesser> guesser;  // unless they have one port
    unsigned found = 0;
    bool begun_anew = false;
  };

  // Nothing: there is nobody to guess ports of, or too much going on.
  [[nodiscard]] Run* begin(Peer& peer, bool leads, Instant now);
  [[nodiscard]] Run* run_with(const Peer& peer);
  // The run is gone after these, or may be.
  void end(Run& run, Instant now, std::string outcome);
  void sample(Run& run, Peer& peer, Instant now);
  void sampled(Run& run, Peer& peer, Instant now);
  void ask(Run& run, Peer& peer, Instant now);
  void start_probing(Run& run, Instant now);
  void service(Run& run, Instant now);
  void send_offer(const Run& run, const Peer& peer, bool answer);
  void probe(Run& run, Instant now);
  void probe_once(Run& run, Instant now);
  [[nodiscard]] GuessingEnd here(const Run& run) const { return {*run.ours, effort_}; }
  [[nodiscard]] static GuessingEnd there(const Run& run) {
    return {run.theirs->model, run.theirs->effort};
  }
  [[nodiscard]] std::optional<std::uint16_t> socket(std::size_t number);
  void close_unused(Instant now);

  Context& context_;
  PeerTable& peers_;
  GuessingEffort effort_;
  Hooks hooks_;
  std::vector<Run> runs_;
  ProbeBudget budget_;              // of all peers together, by address
  std::optional<PortModel> known_;  // of our own NAT, if it does not step
  Instant known_at_{};
  std::vector<std::uint16_t> sockets_;  // that runs send from, while there are any
  std::vector<std::uint16_t> kept_;     // of earlier runs, still open
  std::size_t next_sample_ = 0;
  Instant next_close_{};
};

}  // namespace ipop::overlay
