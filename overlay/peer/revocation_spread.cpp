#include "overlay/peer/revocation_spread.hpp"

#include <sodium.h>

#include <algorithm>

#include "base/log.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

// The last copy is at most this old when it is stored again: what is stored lives for ten minutes,
// and some listen with a delay of half a minute.
constexpr Duration kStoreAfter = 3min;
constexpr Duration kStoreSpread = 3min;
// News that came from elsewhere is likely there already, and everybody has got it just now.
constexpr Duration kFirstStoreAfter = 5s;
constexpr Duration kFirstStoreSpread = 55s;
constexpr Duration kLiveFor = 10min;
constexpr Duration kClocksDiffer = 2min;
constexpr Duration kAskAgainAfter = 1s;
constexpr Duration kFetchFor = 20s;
constexpr Duration kSendEvery = 50ms;
constexpr unsigned kSendAtOnce = 8;  // the directory has room for 64 that wait

Duration random_up_to(Duration limit) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(limit).count();
  return std::chrono::milliseconds(randombytes_uniform(static_cast<std::uint32_t>(ms)));
}

}  // namespace

// Nobody can stop listening: whose CA is not trusted any more is not listened to, though.
void RevocationSpread::listen() {
  if (!admission_.required()) return;
  const std::weak_ptr<RevocationSpread*> weak = self_;
  for (const x509::KeyId& signer : admission_.authorities()->signers()) {
    if (places_.contains(signer)) continue;
    if (places_.size() >= kMostPlaces) {
      log::warning(
          "revocation lists of a CA are not looked for in the directory: so many CAs were "
          "trusted since the start");
      continue;
    }
    places_.try_emplace(signer);
    context_.directory.listen(context_.network.revoked_key(signer), [weak, signer](ByteView value) {
      if (const auto self = weak.lock()) (*self)->on_notice(signer, value);
    });
  }
  on_news();
}

void RevocationSpread::on_news() {
  if (!admission_.required()) return;
  for (auto& [signer, place] : places_) {
    const x509::RevocationList* const list = admission_.authorities()->list_of(signer);
    const ContentDigest digest = list != nullptr ? digest_of(list->der()) : ContentDigest{};
    if (place.list == digest) continue;
    place = {.list = digest, .store_at = {}, .seen = false};
    if (list != nullptr)
      place.store_at = now_.mono + kFirstStoreAfter + random_up_to(kFirstStoreSpread);
  }
}

void RevocationSpread::store_soon() {
  for (auto& [signer, place] : places_) {
    if (place.store_at && !place.seen) place.store_at = now_.mono;
  }
}

void RevocationSpread::service() {
  send_waiting();
  std::erase_if(fetches_, [&](const auto& each) {
    if (now_.mono < each.second.until) return false;
    log::debug("a revocation list in the directory: parts of it were not found");
    return true;
  });
  for (auto& [id, fetch] : fetches_) {
    if (now_.mono >= fetch.ask_at) ask(id, fetch);
  }
  for (auto& [signer, place] : places_) {
    if (place.store_at && now_.mono >= *place.store_at) store(signer, place);
  }
}

std::optional<Instant> RevocationSpread::deadline() const {
  std::optional<Instant> due;
  const auto add = [&](Instant at) { due = due ? std::min(*due, at) : at; };
  if (!waiting_.empty()) add(next_send_);
  for (const auto& [id, fetch] : fetches_)
    add(std::min(fetch.ask_at, fetch.until));
  for (const auto& [signer, place] : places_) {
    if (place.store_at) add(*place.store_at);
  }
  return due;
}

// Anybody in the network can store anything there.
void RevocationSpread::on_notice(const x509::KeyId& signer, ByteView value) {
  if (!admission_.required() || !admission_.authorities()->knows(signer)) return;
  auto notice = RevocationNotice::open(value, context_.network, signer);
  if (!notice) {
    ++context_.counters.lists_refused;
    return;
  }
  if (const x509::RevocationList* const ours = admission_.authorities()->list_of(signer)) {
    // Only if it is the same byte by byte, so that nobody keeps us from storing ours.
    if (notice->is_of_same_list(RevocationNotice::of(*ours, notice->stored)))
      return on_copy(places_.at(signer), notice->stored);
    // Older ones stay until they run out.
    if (notice->age <= ours->age()) return;
  }
  if (!admit_news()) {
    ++context_.counters.lists_limited;
  } else if (notice->parts.empty()) {
    take(signer, notice->list, notice->stored);
  } else {
    fetch(signer, std::move(*notice));
  }
}

void RevocationSpread::on_copy(Place& place, WallTime stored) {
  const Duration age = std::max(Duration::zero(), Duration(now_.wall - stored));
  if (stored > now_.wall + kClocksDiffer || age > kLiveFor) return;
  place.seen = true;
  const Instant due = now_.mono - age + kStoreAfter + random_up_to(kStoreSpread);
  if (place.store_at) place.store_at = std::max(*place.store_at, due);
}

void RevocationSpread::take(const x509::KeyId& signer, ByteView der, WallTime stored) {
  const auto list = x509::RevocationList::parse_der(der);
  const auto added = list ? admission_.add(*list) : std::unexpected(list.error());
  if (!added) {
    ++context_.counters.lists_refused;
    log::debug("a revocation list in the directory: {}", added.error().message);
    return;
  }
  if (*added) on_copy(places_.at(signer), stored);
}

void RevocationSpread::fetch(const x509::KeyId& signer, RevocationNotice notice) {
  const bool known = std::ranges::any_of(fetches_, [&](const auto& each) {
    return each.second.signer == signer && each.second.notice.is_of_same_list(notice);
  });
  if (known) return;
  const std::size_t count = notice.parts.size();
  if (fetches_.size() >= kMostFetches || !admit_parts(count)) {
    ++context_.counters.lists_limited;
    return;
  }
  Fetch& fetch = fetches_[++next_fetch_];
  fetch.signer = signer;
  fetch.notice = std::move(notice);
  fetch.parts.resize(count);
  fetch.missing = (std::uint64_t{1} << count) - 1;
  fetch.until = now_.mono + kFetchFor;
  ask(next_fetch_, fetch);
}

void RevocationSpread::ask(FetchId id, Fetch& fetch) {
  fetch.ask_at = now_.mono + kAskAgainAfter;
  const std::weak_ptr<RevocationSpread*> weak = self_;
  for (unsigned index = 0; index < fetch.parts.size(); ++index) {
    const std::uint64_t bit = std::uint64_t{1} << index;
    if ((fetch.missing & ~fetch.under_way & bit) == 0) continue;
    fetch.under_way |= bit;
    context_.directory.lookup(
        context_.network.revoked_part_key(fetch.notice.parts[index]),
        [weak, id, index](ByteView value) {
          if (const auto self = weak.lock()) (*self)->on_part(id, index, value);
        },
        [weak, id, index](bool) {
          if (const auto self = weak.lock()) (*self)->on_part_done(id, index);
        });
  }
}

void RevocationSpread::on_part_done(FetchId id, unsigned index) {
  const auto found = fetches_.find(id);
  if (found != fetches_.end()) found->second.under_way &= ~(std::uint64_t{1} << index);
}

void RevocationSpread::on_part(FetchId id, unsigned index, ByteView value) {
  const auto found = fetches_.find(id);
  const std::uint64_t bit = std::uint64_t{1} << index;
  if (found == fetches_.end() || (found->second.missing & bit) == 0) return;
  Fetch& fetch = found->second;
  auto part = open_part(value, context_.network, fetch.notice.parts[index]);
  if (!part) {
    ++context_.counters.lists_refused;
    return;
  }
  fetch.parts[index] = std::move(*part);
  fetch.missing &= ~bit;
  if (fetch.missing != 0) return;
  std::vector<std::uint8_t> der;
  for (const auto& each : fetch.parts)
    der.insert(der.end(), each.begin(), each.end());
  const x509::KeyId signer = fetch.signer;
  const WallTime stored = fetch.notice.stored;
  fetches_.erase(found);
  if (admission_.required()) take(signer, der, stored);
}

void RevocationSpread::store(const x509::KeyId& signer, Place& place) {
  place.store_at.reset();
  if (!admission_.required()) return;
  const x509::RevocationList* const list = admission_.authorities()->list_of(signer);
  if (list == nullptr) return;
  place.store_at = now_.mono + kStoreAfter + random_up_to(kStoreSpread);
  place.seen = true;
  const RevocationNotice notice = RevocationNotice::of(*list, now_.wall);
  // Who hears of the notice asks for the parts at once.
  const ByteView der = list->der();
  for (std::size_t i = 0; i < notice.parts.size(); ++i) {
    const std::size_t begin = i * RevocationNotice::kPart;
    const ByteView part = der.subspan(begin, std::min(RevocationNotice::kPart, der.size() - begin));
    waiting_.emplace_back(context_.network.revoked_part_key(notice.parts[i]),
                          seal_part(part, context_.network));
  }
  waiting_.emplace_back(context_.network.revoked_key(signer),
                        notice.seal(context_.network, signer));
  send_waiting();
}

// Not all of a long list at once: the directory has only so much room, and others have messages.
void RevocationSpread::send_waiting() {
  if (waiting_.empty() || now_.mono < next_send_) return;
  for (unsigned i = 0; i < kSendAtOnce && !waiting_.empty(); ++i) {
    auto& [key, value] = waiting_.front();
    context_.directory.post(key, std::move(value));
    waiting_.pop_front();
  }
  next_send_ = now_.mono + kSendEvery;
}

bool RevocationSpread::admit_news() {
  if (now_.mono - second_ >= 1s) {
    second_ = now_.mono;
    news_in_second_ = 0;
  }
  return ++news_in_second_ <= kNewsPerSecond;
}

bool RevocationSpread::admit_parts(std::size_t count) {
  const std::chrono::duration<double> passed = now_.mono - parts_filled_;
  parts_filled_ = now_.mono;
  parts_left_ = std::min<double>(kPartsAtOnce, parts_left_ + passed.count());
  if (parts_left_ < static_cast<double>(count)) return false;
  parts_left_ -= static_cast<double>(count);
  return true;
}

}  // namespace ipop::overlay
