#include "engine/path/inject_rings.hpp"

#include "engine/path/lane_share.hpp"

namespace ipop::engine {

bool InjectRings::send_sealed(ReceiverIndex index, ByteView plaintext,
                              std::optional<Endpoint> via) {
  const Session* const session = sessions_.find(index);
  const unsigned lcore =
      session == nullptr ? 0
                         : LaneShare::owner(session->peer, 0, static_cast<unsigned>(rings_.size()));
  return rings_[lcore]->send_sealed(index, plaintext, via);
}

bool InjectRings::retry_staged() {
  bool all = true;
  for (InjectRing* const ring : rings_)
    all &= ring->retry_staged();
  return all;
}

bool InjectRings::reject_staged(const IpAddress& address, RejectReason reason) {
  bool all = true;
  for (InjectRing* const ring : rings_)
    all &= ring->reject_staged(address, reason);
  return all;
}

std::uint64_t InjectRings::accepted() const noexcept {
  std::uint64_t sum = 0;
  for (const InjectRing* const ring : rings_)
    sum += ring->accepted();
  return sum;
}

std::uint64_t InjectRings::refused() const noexcept {
  std::uint64_t sum = 0;
  for (const InjectRing* const ring : rings_)
    sum += ring->refused();
  return sum;
}

}  // namespace ipop::engine
