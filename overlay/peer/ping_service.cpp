#include "overlay/peer/ping_service.hpp"

#include <utility>

namespace ipop::overlay {

void PingService::add(Pending ping) {
  if (pending_.size() >= kMaxPending) {
    ping.done({.error = "too many pings at a time"});
    return;
  }
  pending_.push_back(std::move(ping));
}

std::vector<PingService::Pending*> PingService::waiting() {
  std::vector<Pending*> list;
  for (Pending& ping : pending_) {
    if (!ping.sequence) list.push_back(&ping);
  }
  return list;
}

void PingService::on_pong(engine::PeerIndex peer, std::uint32_t sequence,
                          const PingResult& result) {
  for (std::size_t at = 0; at < pending_.size(); ++at) {
    if (pending_[at].peer == peer && pending_[at].sequence == sequence) {
      finish(at, result);
      return;
    }
  }
}

void PingService::fail(const IpAddress& address, const std::string& why) {
  for (std::size_t at = pending_.size(); at-- > 0;) {
    if (pending_[at].address == address && !pending_[at].sequence) finish(at, {.error = why});
  }
}

void PingService::service(Instant now) {
  for (std::size_t at = pending_.size(); at-- > 0;) {
    if (now < pending_[at].deadline) continue;
    finish(at, {.error = pending_[at].sequence ? "no answer" : "not connected in time"});
  }
}

std::optional<Instant> PingService::deadline() const {
  std::optional<Instant> earliest;
  for (const Pending& ping : pending_) {
    if (!earliest || ping.deadline < *earliest) earliest = ping.deadline;
  }
  return earliest;
}

void PingService::finish(std::size_t at, const PingResult& result) {
  const OnResult done = std::move(pending_[at].done);
  pending_.erase(pending_.begin() + static_cast<std::ptrdiff_t>(at));
  done(result);
}

}  // namespace ipop::overlay
