// Keeps our own record in the directory, listens to our inbox, and watches whether somebody else
// claims our addresses. Overlay thread; time is passed in.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <vector>

#include "overlay/peer/context.hpp"

namespace ipop::overlay {

class Announcer {
 public:
  // `on_rendezvous`: somebody wants to talk to us. `on_rival`: another node's record stands under
  // one of our addresses.
  Announcer(Context& context, std::function<void(const NodeRecord&)> on_rendezvous,
            std::function<void(const NodeRecord&)> on_rival);

  // Who else is to have what we publish: our record under `address`, or under our id if that is ::.
  using OnPublish = std::function<void(const IpAddress& address, const DirectoryValue& value,
                                       std::uint64_t sequence)>;
  void set_on_publish(OnPublish on_publish) { on_publish_ = std::move(on_publish); }

  // Publishes and listens. Call once, with where we may be reached.
  void start(std::vector<Candidate> candidates, Now now);
  void set_candidates(std::vector<Candidate> candidates, Now now);
  // What else the record says. A new record goes out soon, if it is news.
  void set_reach(NatMapping nat, std::vector<RelayHint> relays, Now now);
  // Our record as of now, with a sequence number of its own.
  [[nodiscard]] NodeRecord make_record(Now now);
  [[nodiscard]] const std::vector<Candidate>& candidates() const noexcept { return candidates_; }
  // The time for what the directory calls back with.
  void set_time(Now now) { last_now_ = now; }
  void service(Now now);
  [[nodiscard]] Instant deadline() const;
  // The record leaves the directory; others stop finding us.
  void withdraw();

  // Tells `peer` by its inbox that we want to talk.
  void invite(const NodeId& peer, Now now);

 private:
  void publish(Now now);
  void look_for_rivals(Now now);
  void on_inbox(ByteView value);
  void on_claim(const DirectoryKey& key, ByteView value);

  Context& context_;
  std::function<void(const NodeRecord&)> on_rendezvous_;
  std::function<void(const NodeRecord&)> on_rival_;
  OnPublish on_publish_ = [](const IpAddress&, const DirectoryValue&, std::uint64_t) {};
  std::vector<Candidate> candidates_;
  NatMapping nat_ = NatMapping::kUnknown;
  std::vector<RelayHint> relays_;
  std::uint64_t sequence_ = 0;
  Instant next_publish_{};
  Instant next_rival_check_{};
  unsigned rival_checks_ = 0;
  Now last_now_;
  std::set<std::pair<NodeId, WallTime>> seen_;  // rendezvous taken, bounded
  std::shared_ptr<Announcer*> self_ = std::make_shared<Announcer*>(this);
};

}  // namespace ipop::overlay
