#include "overlay/lan/lan_discovery.hpp"

#include <sodium.h>

#include <algorithm>
#include <utility>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

// Some links need a moment before they carry anything.
constexpr Duration kIntroductions[] = {100ms, 1s, 4s};
constexpr Duration kIntroductionEvery = 5min;
constexpr Duration kAskEvery = 200ms;
constexpr Duration kAnswerEvery = 2s;  // however often we are asked
constexpr Duration kAnswerToAll = 500ms;
constexpr Duration kAnswerToOne = 1ms;

}  // namespace

void LanDiscovery::introduce(Instant now) {
  if (!enabled()) return;
  introductions_ = 0;
  next_introduction_ = now + kIntroductions[0];
}

void LanDiscovery::say(LanMessage::Kind kind, const IpAddress& address) {
  const LanMessage message{.kind = kind, .address = address, .from = hooks_.own_record()};
  send_(message.seal(context_.identity, context_.network));
}

bool LanDiscovery::may_ask(Instant now) const {
  return enabled() && (asked_ == Instant{} || now - asked_ >= kAskEvery);
}

void LanDiscovery::ask(const IpAddress& address, Instant now) {
  if (!may_ask(now)) return;
  asked_ = now;
  say(LanMessage::Kind::kWhoHolds, address);
}

// At a time of our own: everybody else was asked, too.
void LanDiscovery::answer(Duration within, Instant now) {
  const auto wait = Duration(randombytes_uniform(static_cast<std::uint32_t>(within / 1us))) * 1000;
  const Instant due = std::max(now + wait, answered_ + kAnswerEvery);
  answer_due_ = std::min(due, answer_due_.value_or(due));
}

bool LanDiscovery::holds(const IpAddress& address) const {
  const auto contains = [&](const Prefix& own) { return own.contains(address); };
  return std::ranges::any_of(context_.credential.addresses, contains) ||
         std::ranges::any_of(context_.credential.routes, contains);
}

void LanDiscovery::on_datagram(ByteView datagram, Now now) {
  if (!enabled()) return;
  if (now.mono - second_ >= 1s) {
    second_ = now.mono;
    unsealed_ = verified_ = 0;
  }
  if (unsealed_ >= kMostUnsealed || verified_ >= kMostVerified) {
    ++context_.counters.lan_limited;
    return;
  }
  ++unsealed_;
  const auto unsealed = LanMessage::unseal(datagram, context_.network);
  if (!unsealed) {
    ++context_.counters.records_refused;
    return;
  }
  std::array<std::uint8_t, 16> mark;  // the tag, which no other datagram has
  std::ranges::copy(datagram.last(mark.size()), mark.begin());
  if (std::ranges::find(heard_, mark) != heard_.end()) return;
  heard_[next_heard_++ % heard_.size()] = mark;
  ++verified_;
  const auto message = LanMessage::parse(*unsealed, context_.network, now.wall);
  if (!message) {
    ++context_.counters.records_refused;
    return;
  }
  if (message->from.credential.node_id() == context_.identity.node_id()) return;
  if (message->kind == LanMessage::Kind::kWho) {
    answer(kAnswerToAll, now.mono);
  } else if (message->kind == LanMessage::Kind::kWhoHolds && holds(message->address)) {
    answer(kAnswerToOne, now.mono);
  }
  hooks_.on_record(message->from);
}

void LanDiscovery::service(Instant now) {
  if (!enabled()) return;
  if (now >= next_introduction_) {
    const bool first = introductions_ < std::size(kIntroductions);
    ++introductions_;
    next_introduction_ =
        now + (introductions_ < std::size(kIntroductions) ? kIntroductions[introductions_]
                                                          : kIntroductionEvery);
    say(first ? LanMessage::Kind::kWho : LanMessage::Kind::kHere, {});
  }
  if (answer_due_ && now >= *answer_due_) {
    answer_due_.reset();
    answered_ = now;
    say(LanMessage::Kind::kHere, {});
  }
}

std::optional<Instant> LanDiscovery::deadline() const {
  if (!enabled()) return std::nullopt;
  return std::min(next_introduction_, answer_due_.value_or(Instant::max()));
}

}  // namespace ipop::overlay
