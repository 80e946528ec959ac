#include "overlay/relay/record_deposits.hpp"

#include <algorithm>

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Duration kFirstWait = 500ms;  // and twice as long each time
constexpr unsigned kMostTries = 6;

}  // namespace

void RecordDeposits::leave(const IpAddress& address, const DirectoryValue& value,
                           std::uint64_t sequence, const std::vector<engine::PeerIndex>& relays,
                           Instant now) {
  std::erase_if(deposits_, [&](const Deposit& deposit) { return deposit.address == address; });
  for (const engine::PeerIndex relay : relays) {
    deposits_.push_back(
        {.relay = relay, .address = address, .sequence = sequence, .value = value, .next = now});
  }
  service(now);
}

void RecordDeposits::on_answer(const Peer& relay, const message::RecordDeposited& answer) {
  // One that keeps nothing has said so: there is another relay, and the next record.
  std::erase_if(deposits_, [&](const Deposit& deposit) {
    return deposit.relay == relay.index && deposit.address == answer.address &&
           deposit.sequence == answer.sequence;
  });
}

void RecordDeposits::service(Instant now) {
  std::erase_if(deposits_, [&](Deposit& deposit) {
    if (now < deposit.next) return false;
    const Peer* const relay = peers_.by_index(deposit.relay);
    if (deposit.tries == kMostTries || relay == nullptr || !relay->connected()) return true;
    deposit.next = now + kFirstWait * (1u << deposit.tries++);
    context_.injector.send_sealed(
        relay->current, message::encode(message::RecordDeposit{deposit.address, deposit.value}));
    return false;
  });
}

std::optional<Instant> RecordDeposits::deadline() const {
  if (deposits_.empty()) return std::nullopt;
  return std::ranges::min(deposits_, {}, &Deposit::next).next;
}

}  // namespace ipop::overlay
