// Certificates and revocation lists, as far as they concern everybody at once: judging all peers
// again, keeping the lists over restarts, passing on what is new.
#include "base/log.hpp"
#include "overlay/overlay.hpp"
#include "overlay/trust/state_file.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kOwnCheckEvery = 1h;
constexpr std::size_t kMaxListsFile = 1 << 20;

}  // namespace

void Overlay::set_trust(TrustSettings trust, Now now) {
  now_ = now;
  admission_.set(std::move(trust));
  recall_lists();  // of a CA that was trusted before
  next_own_check_ = now.mono;
  revocations_.listen();
  review_all();
}

void Overlay::review_all() {
  peers_.for_each([&](Peer& peer) {
    if (peer.form != handshake::Form::kIpop) return;
    Admission::forget_judgement(peer);
    membership_.review(peer, now_.mono);
    if (!peer.connected()) return;
    admission_.tell_news(peer);
    schedule(peer, now_);
  });
}

Result<bool> Overlay::add_revocation_list(const x509::RevocationList& list, Now now) {
  now_ = now;
  auto added = admission_.add(list);
  if (added && *added) revocations_.store_soon();
  return added;
}

void Overlay::on_revocation_list() {
  revocations_.on_news();
  review_all();
  if (settings_.revoked_file.empty()) return;
  std::string text;
  for (const auto& [signer, list] : admission_.authorities()->lists())
    text += list.pem();
  const auto written = write_state_file(settings_.revoked_file, text, IfExists::kReplace);
  if (!written) warn("revocation lists: " + written.error().message);
}

// Those of an earlier run. Their signatures count as anywhere else.
void Overlay::recall_lists() {
  std::error_code error;
  if (!admission_.required() || settings_.revoked_file.empty() ||
      !std::filesystem::exists(settings_.revoked_file, error)) {
    return;
  }
  const auto text = read_state_file(settings_.revoked_file, kMaxListsFile);
  const auto lists = text ? x509::RevocationList::parse_pem(*text, x509::kMaxLists)
                          : std::unexpected(text.error());
  if (!lists) return warn(settings_.revoked_file.string() + ": " + lists.error().message);
  for (const x509::RevocationList& list : *lists) {
    if (const auto added = admission_.add(list); !added) {
      log::info("{}: {}", settings_.revoked_file.string(), added.error().message);
    }
  }
}

// What others are going to say of it, said before they do.
void Overlay::check_own_certificate(Now now) {
  next_own_check_ = now.mono + kOwnCheckEvery;
  if (!admission_.required()) return;
  const auto passport = x509::Passport::parse(admission_.own_passport());
  if (!passport) return warn("we have no certificate of our own: nobody will let us in");
  const auto judged = admission_.authorities()->judge(*passport, context_.identity.signing_key(),
                                                      context_.credential.addresses,
                                                      context_.network.network_id(), now.wall);
  if (!judged)
    return warn("our own certificate is refused by our own CAs: " + judged.error().detail);
  const Duration left = judged->valid_until - now.wall;
  if (left > 24h * 30) return;
  warn("our certificate (" + judged->name + ") or one of its CAs expires within " +
       (left > 24h * 7 ? "30" : "7") + " days, on " + x509::to_text(judged->valid_until) +
       ": renew it (ipop ca renew, then ipop reload)");
}

}  // namespace ipop::overlay
