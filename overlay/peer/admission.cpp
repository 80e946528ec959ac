#include "overlay/peer/admission.hpp"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/log.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kHelloEvery = 200ms;  // to one peer
constexpr Duration kAskEvery = 300ms;    // for parts that did not come
constexpr Duration kAnswerEvery = 20ms;  // requests of one peer
constexpr Duration kJudgeEvery = 1s;     // the same passport, while it is refused
constexpr Duration kSilentFor = 3s;      // without a word of a certificate
constexpr Duration kListWithin = 15s;
constexpr Duration kTellAgainAfter = 800ms;  // news of a revocation list
constexpr unsigned kTellTimes = 4;
constexpr Duration kLiarFor = 1min;  // offers of lists that are none are not looked at
constexpr unsigned kPartsAtOnce = 16;
constexpr std::size_t kListsAtOnce = 8;

}  // namespace

Admission::Admission(Context& context, const Now& now, TrustSettings settings,
                     std::function<void()> on_list)
    : context_(context), now_(now), on_list_(std::move(on_list)) {
  set(std::move(settings));
}

void Admission::set(TrustSettings settings) {
  std::vector<x509::RevocationList> known;
  if (settings_.authorities) {
    for (const auto& [signer, list] : settings_.authorities->lists())
      known.push_back(list);
  }
  settings_ = std::move(settings);
  own_passport_ = settings_.passport.empty() ? ContentDigest{} : digest_of(settings_.passport);
  lists_.clear();
  if (settings_.authorities) {
    // One whose CA is no longer trusted is not needed any more.
    for (const x509::RevocationList& list : known)
      static_cast<void>(settings_.authorities->add(list));
  }
  note_lists();
}

void Admission::note_lists() {
  offers_.clear();
  if (!settings_.authorities) return;
  for (const auto& [signer, list] : settings_.authorities->lists())
    offers_.push_back({signer, list.age(), digest_of(list.der())});
}

Result<bool> Admission::add(const x509::RevocationList& list) {
  if (!settings_.authorities) return fail("no CA is trusted");
  auto added = settings_.authorities->add(list);
  if (!added || !*added) return added;
  log::info("the revocation list of {} counts from now on; certificates revoked: {}", list.issuer(),
            list.size());
  note_lists();
  on_list_();
  return true;
}

x509::Judged<bool> Admission::judge(Peer& peer) {
  if (!required() || peer.form != handshake::Form::kIpop) return true;
  PeerTrust& trust = peer.trust;
  if (trust.standing && now_.wall < trust.standing->valid_until) return true;
  trust.standing.reset();
  if (!peer.credential) return false;
  if (!trust.passport) {
    const bool has_none = trust.announced && *trust.announced == ContentDigest{};
    const bool silent = trust.waiting_since && now_.mono - *trust.waiting_since >= kSilentFor;
    if (!has_none && (!silent || !peer.connected())) return false;
    return x509::refuse(x509::Reason::kNoCertificate, "it shows no certificate");
  }
  if (trust.refusal && now_.mono - trust.judged < kJudgeEvery) {
    return std::unexpected(*trust.refusal);
  }
  trust.judged = now_.mono;
  const Credential& credential = *peer.credential;
  auto judged =
      settings_.authorities->judge(*trust.passport, credential.signing_key, credential.addresses,
                                   context_.network.network_id(), now_.wall);
  if (!judged) {
    trust.refusal = judged.error();
    return std::unexpected(judged.error());
  }
  trust.refusal.reset();
  trust.standing = std::move(*judged);
  consider_lists(peer, std::exchange(trust.offers, {}));
  return true;
}

void Admission::forget_judgement(Peer& peer) {
  peer.trust.standing.reset();
  peer.trust.refusal.reset();
}

void Admission::send(const Peer& peer, const message::Message& message) const {
  if (peer.connected()) context_.injector.send_sealed(peer.current, message::encode(message));
}

void Admission::say_hello(Peer& peer) {
  peer.trust.greeted = now_.mono;
  send(peer, message::TrustHello{.answer_wanted = required() && !peer.trust.standing,
                                 .passport = own_passport_,
                                 .lists = offers_});
}

void Admission::tell_news(Peer& peer) {
  peer.trust.hellos_left = required() ? kTellTimes : 0;
  say_hello(peer);
}

// A peer that lets us in has seen it.
void Admission::show_passport(Peer& peer) {
  if (!settings_.passport.empty() && !peer.admits_us)
    send_parts(peer, own_passport_, settings_.passport, ~std::uint64_t{0});
}

void Admission::greet(Peer& peer) {
  if (!required()) return;
  peer.trust.waiting_since = now_.mono;
  say_hello(peer);
  show_passport(peer);
}

void Admission::service(Peer& peer, bool asking) {
  if (const auto list = lists_.find(peer.index); list != lists_.end()) {
    if (now_.mono - list->second.begun >= kListWithin) {
      lists_.erase(list);  // it has another one by now, or never had it
    } else if (now_.mono - list->second.asked >= kAskEvery) {
      ask_for(peer, list->second);
    }
  }
  if (!required()) return;
  std::optional<Transfer>& transfer = peer.trust.transfer;
  if (transfer && now_.mono - transfer->asked >= kAskEvery) ask_for(peer, *transfer);
  if (peer.trust.hellos_left > 0 && now_.mono - peer.trust.greeted >= kTellAgainAfter) {
    --peer.trust.hellos_left;
    say_hello(peer);
  }
  if (asking && !transfer && now_.mono - peer.trust.greeted >= kAskEvery) say_hello(peer);
}

bool Admission::on_hello(Peer& peer, const message::TrustHello& hello) {
  PeerTrust& trust = peer.trust;
  const bool known = trust.passport && trust.shown == hello.passport;
  trust.announced = hello.passport;
  if (required() && !known && hello.passport != ContentDigest{}) {
    if (!trust.transfer || trust.transfer->digest() != hello.passport) {
      trust.transfer.emplace(hello.passport, x509::kMaxPassport);
      trust.transfer->asked = now_.mono;
      // A stranger sends it without being asked.
      if (peer.authorised || peer.refused) ask_for(peer, *trust.transfer);
    }
  }
  if (has_all(hello.lists)) trust.hellos_left = 0;
  if (trust.standing) {
    consider_lists(peer, hello.lists);
  } else {
    trust.offers = hello.lists;
  }
  if (hello.answer_wanted && now_.mono - trust.greeted >= kHelloEvery) {
    say_hello(peer);
    show_passport(peer);
  }
  return required() && (known || hello.passport == ContentDigest{});
}

bool Admission::on_part(Peer& peer, const message::TrustPart& part) {
  PeerTrust& trust = peer.trust;
  if (!trust.transfer || trust.transfer->digest() != part.digest) {
    on_list_part(peer, part);
    return false;
  }
  if (!trust.transfer->take(part.total, part.index, part.bytes)) return false;
  auto passport = x509::Passport::parse(trust.transfer->content());
  trust.transfer.reset();
  forget_judgement(peer);
  // What does not parse is judged as well: an empty chain is refused.
  trust.passport = passport ? std::move(*passport) : x509::Passport{};
  trust.shown = part.digest;
  return true;
}

void Admission::on_request(Peer& peer, const message::TrustRequest& request) {
  if (now_.mono - peer.trust.answered < kAnswerEvery) return;
  peer.trust.answered = now_.mono;
  if (request.digest == own_passport_ && !settings_.passport.empty()) {
    send_parts(peer, request.digest, settings_.passport, request.parts);
    return;
  }
  for (std::size_t i = 0; i < offers_.size(); ++i) {
    if (offers_[i].digest != request.digest) continue;
    send_parts(peer, request.digest, settings_.authorities->lists()[i].list.der(), request.parts);
  }
}

void Admission::send_parts(const Peer& peer, const ContentDigest& digest, ByteView content,
                           std::uint64_t parts) const {
  unsigned left = kPartsAtOnce;
  for (std::size_t begin = 0; begin < content.size() && left > 0; begin += Transfer::kPart) {
    const auto index = static_cast<std::uint8_t>(begin / Transfer::kPart);
    if ((parts >> index & 1) == 0) continue;
    --left;
    const ByteView bytes =
        content.subspan(begin, std::min(Transfer::kPart, content.size() - begin));
    send(peer, message::TrustPart{.digest = digest,
                                  .total = static_cast<std::uint16_t>(content.size()),
                                  .index = index,
                                  .bytes = {bytes.begin(), bytes.end()}});
  }
}

void Admission::ask_for(Peer& peer, Transfer& transfer) {
  transfer.asked = now_.mono;
  send(peer, message::TrustRequest{transfer.digest(), transfer.missing()});
}

void Admission::refuse(const Peer& peer, x509::Reason reason) {
  send(peer, message::TrustRefusal{reason});
}

bool Admission::has_all(const std::vector<message::ListOffer>& offers) const {
  return std::ranges::all_of(offers_, [&](const message::ListOffer& ours) {
    return std::ranges::any_of(offers, [&](const message::ListOffer& theirs) {
      return theirs.signer == ours.signer && theirs.age >= ours.age;
    });
  });
}

// Only from those who were let in: others could have us carry what they like.
void Admission::consider_lists(Peer& peer, const std::vector<message::ListOffer>& offers) {
  if (!required() || !peer.trust.standing) return;
  if (peer.trust.lied && now_.mono - *peer.trust.lied < kLiarFor) return;
  // Those whose peers went away.
  std::erase_if(lists_,
                [&](const auto& one) { return now_.mono - one.second.begun >= kListWithin; });
  for (const message::ListOffer& offer : offers) {
    const x509::RevocationList* const ours = settings_.authorities->list_of(offer.signer);
    const bool news =
        settings_.authorities->knows(offer.signer) && (ours == nullptr || offer.age > ours->age());
    if (!news || lists_.contains(peer.index) || lists_.size() >= kListsAtOnce) continue;
    const auto added = lists_.emplace(peer.index, Transfer(offer.digest, x509::kMaxList)).first;
    added->second.begun = now_.mono;
    ask_for(peer, added->second);
  }
}

void Admission::on_list_part(Peer& peer, const message::TrustPart& part) {
  const auto found = lists_.find(peer.index);
  if (found == lists_.end() || found->second.digest() != part.digest) return;
  if (!found->second.take(part.total, part.index, part.bytes)) return;
  const auto list = x509::RevocationList::parse_der(found->second.content());
  lists_.erase(found);
  const auto added = list ? add(*list) : std::unexpected(list.error());
  if (!added) {
    ++context_.counters.lists_refused;
    peer.trust.lied = now_.mono;
    log::warning("{} offers a revocation list that is not taken: {}", peer.display(),
                 added.error().message);
  }
}

}  // namespace ipop::overlay
