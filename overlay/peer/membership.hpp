// Who may use which inner addresses. A session alone says only that the other end knows the
// network; its credential says which node it is. Only then do its addresses become routes. Two
// nodes that claim one address: the one that claimed it earlier keeps it, as long as it lives.
// Overlay thread.
#pragma once

#include <functional>
#include <string>

#include "overlay/peer/admission.hpp"
#include "overlay/peer/context.hpp"
#include "overlay/peer/liveness_monitor.hpp"
#include "overlay/peer/message.hpp"
#include "overlay/peer/peer_table.hpp"
#include "overlay/peer/territory.hpp"

namespace ipop::overlay {

// Another node holds one of our addresses, lives, and claimed it before us: we must not go on.
struct LostAddress {
  IpAddress address;
  std::string holder;  // for people
};

class Membership {
 public:
  // `on_lost_address` returns whether the node gives way; if not, the other one is refused.
  Membership(Context& context, PeerTable& peers, LivenessMonitor& liveness, Admission& admission,
             const Territory& territory, std::function<bool(const LostAddress&)> on_lost_address,
             std::function<void(std::string)> on_warning);

  // A session came up: a credential that we know is taken up again. True as with on_offer().
  [[nodiscard]] bool greet(Peer& peer, const Session& session, Instant now);
  // Until each end has verified the other's credential: asks for the peer's, offers ours. True as
  // with on_offer().
  [[nodiscard]] bool service(Peer& peer, Instant now);
  void on_request(Peer& peer, engine::ReceiverIndex session,
                  const message::CredentialRequest& request);
  // True if the peer is authorised now, and was not before.
  [[nodiscard]] bool on_offer(Peer& peer, const message::CredentialOffer& offer, Instant now);
  void on_refusal(Peer& peer, const message::Refusal& refusal, Instant now);
  // What it says of certificates. True as with on_offer().
  [[nodiscard]] bool on_trust(Peer& peer, const message::TrustHello& hello, Instant now);
  [[nodiscard]] bool on_trust(Peer& peer, const message::TrustPart& part, Instant now);
  void on_trust(Peer& peer, const message::TrustRefusal& refusal, Instant now);
  // Whether a peer that was let in may stay: time passes, and lists change. If not, it is told, and
  // its sessions end a moment later.
  void review(Peer& peer, Instant now);
  // What the configuration grants it, unless it has to show a certificate first.
  void grant_configured(Peer& peer);

  // A verified credential from elsewhere (directory, state file). True as with on_offer().
  [[nodiscard]] bool accept(Peer& peer, const Credential& credential, Instant now);

  // Whether `rival` claims one of our addresses and claimed it before us.
  [[nodiscard]] std::optional<IpAddress> loses_to(const Credential& rival) const;

 private:
  void send(const Peer& peer, const message::Message& message);
  [[nodiscard]] bool pass(Peer& peer, Instant now);
  void tell_names(Peer& peer);
  [[nodiscard]] bool judge_again(Peer& peer, Instant now);
  void refuse(Peer& peer, const x509::Refusal& refusal, Instant now);
  [[nodiscard]] bool authorise(Peer& peer, Instant now);
  [[nodiscard]] bool may_take(Peer& peer, const Prefix& prefix, Instant now);
  [[nodiscard]] bool lives(Peer& holder, Instant now);
  [[nodiscard]] bool settle_own_address(Peer& peer, Instant now);
  void refuse(Peer& peer, message::RefusalReason reason, const IpAddress& address, std::string why,
              Instant now);

  Context& context_;
  PeerTable& peers_;
  LivenessMonitor& liveness_;
  Admission& admission_;
  const Territory& territory_;
  std::function<bool(const LostAddress&)> on_lost_address_;
  std::function<void(std::string)> on_warning_;
};

}  // namespace ipop::overlay
