// Whether a peer's certificate lets it in, where this node trusts a CA: shows ours, has the peer's
// shown, judges it, and has the newest revocation lists from those who were let in. Without a CA
// everybody passes, and our passport is shown to whoever asks. What follows from a judgement is
// Membership's business. Overlay thread.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "overlay/peer/context.hpp"
#include "overlay/peer/message.hpp"
#include "overlay/peer/peer_table.hpp"

namespace ipop::overlay {

struct TrustSettings {
  std::optional<x509::Authorities> authorities;  // nothing: every member of the network is let in
  std::vector<std::uint8_t> passport;            // our own, encoded; empty = none
};

class Admission {
 public:
  // `now` is the time of the event being handled. `on_list`: a newer revocation list counts.
  Admission(Context& context, const Now& now, TrustSettings settings,
            std::function<void()> on_list);

  // Everybody has to be judged again. The lists that are known stay, where their CA does.
  void set(TrustSettings settings);

  [[nodiscard]] bool required() const noexcept { return settings_.authorities.has_value(); }
  // True if the peer may come in, false if that is not known yet.
  [[nodiscard]] x509::Judged<bool> judge(Peer& peer);
  // Its credential is another one now, or our CAs or lists are.
  static void forget_judgement(Peer& peer);

  // A session came up.
  void greet(Peer& peer);
  // Asks again for what is missing. `asking`: the peer is not let in yet.
  void service(Peer& peer, bool asking);
  // Says what we have, to one that knows something older.
  void say_hello(Peer& peer);
  // The same, again for a while until it says that it has what we have.
  void tell_news(Peer& peer);

  // Each true if the peer can be judged now, or judged again.
  [[nodiscard]] bool on_hello(Peer& peer, const message::TrustHello& hello);
  [[nodiscard]] bool on_part(Peer& peer, const message::TrustPart& part);
  void on_request(Peer& peer, const message::TrustRequest& request);
  void refuse(const Peer& peer, x509::Reason reason);
  void forget(const Peer& peer) { lists_.erase(peer.index); }

  // From a file or the directory. As Authorities::add(); on_list is called for news.
  [[nodiscard]] Result<bool> add(const x509::RevocationList& list);
  [[nodiscard]] ByteView own_passport() const noexcept { return settings_.passport; }
  [[nodiscard]] const x509::Authorities* authorities() const noexcept {
    return settings_.authorities ? &*settings_.authorities : nullptr;
  }

 private:
  void send(const Peer& peer, const message::Message& message) const;
  void show_passport(Peer& peer);
  void send_parts(const Peer& peer, const ContentDigest& digest, ByteView content,
                  std::uint64_t parts) const;
  void ask_for(Peer& peer, Transfer& transfer);
  [[nodiscard]] bool has_all(const std::vector<message::ListOffer>& offers) const;
  void consider_lists(Peer& peer, const std::vector<message::ListOffer>& offers);
  void on_list_part(Peer& peer, const message::TrustPart& part);
  void note_lists();

  Context& context_;
  const Now& now_;
  TrustSettings settings_;
  std::function<void()> on_list_;
  ContentDigest own_passport_{};
  std::vector<message::ListOffer> offers_;  // of our lists, in the order of Authorities::lists()
  std::map<engine::PeerIndex, Transfer> lists_;  // on their way to us, bounded
};

}  // namespace ipop::overlay
