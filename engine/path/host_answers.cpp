#include "engine/path/host_answers.hpp"

#include <algorithm>

#include "engine/path/icmp.hpp"
#include "engine/path/inner_packet.hpp"
#include "engine/path/packet.hpp"

namespace ipop::engine {

bool HostAnswers::may_answer(Instant now) noexcept {
  constexpr Duration kEach = Duration(std::chrono::seconds(1)) / kPerSecond;
  const auto earned =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, (now - credited_) / kEach));
  if (earned != 0) {
    credit_ = static_cast<unsigned>(std::min<std::uint64_t>(credit_ + earned, kMostInARow));
    credited_ = now;
  }
  if (credit_ == 0) return false;
  --credit_;
  return true;
}

template <typename Build>
void HostAnswers::answer(rte_mbuf* packet, Instant now, Build build) noexcept {
  if (!may_answer(now)) return;
  const auto inner = parse_inner(bytes_of(packet));
  rte_mbuf* const reply = inner ? rte_pktmbuf_alloc(pool_) : nullptr;
  if (reply == nullptr) return;
  const MutableBytes room(data_of(reply), rte_pktmbuf_tailroom(reply));
  const std::size_t size = build(bytes_of(packet), room);
  if (size == 0) {
    rte_pktmbuf_free(reply);
    return;
  }
  set_length(reply, static_cast<std::uint32_t>(size));
  const auto parsed = parse_inner(bytes_of(reply));
  if (!parsed) {
    rte_pktmbuf_free(reply);
    return;
  }
  counters_.generated.add(1);
  // It comes from the address that could not be reached: one of our own would be taken for a
  // forgery by the host.
  host_.answer(reply, *parsed);
}

void HostAnswers::too_big(rte_mbuf* packet, std::uint32_t room, Instant now) noexcept {
  answer(packet, now, [room](ByteView offending, MutableBytes into) {
    const auto mtu = static_cast<std::uint16_t>(std::min<std::uint32_t>(room, UINT16_MAX));
    return build_too_big(offending, mtu, into);
  });
}

void HostAnswers::unreachable(rte_mbuf* packet, RejectReason reason, Instant now) noexcept {
  answer(packet, now, [reason](ByteView offending, MutableBytes into) {
    return build_unreachable(offending, reason, into);
  });
}

}  // namespace ipop::engine
