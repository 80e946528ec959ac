// Inner packets as a peer or a host may send them: the parser claims nothing that is not there, and
// every ICMP answer is a whole packet with right checksums that is itself never answered.
#include "engine/path/inner_packet.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/checksum.hpp"
#include "engine/path/icmp.hpp"

namespace {

using namespace ipop;
using namespace ipop::engine;

void require(bool right) {
  if (!right) std::abort();
}

void check_answer(ByteView packet, const InnerPacket& asked, ByteView answer) {
  if (answer.empty()) return;
  const auto inner = parse_inner(answer);
  require(inner.has_value() && inner->total_length == answer.size());
  require(inner->version == asked.version);
  require(inner->source == asked.destination && inner->destination == asked.source);
  require(answer.size() <= (inner->version == 4 ? kMaxIcmpv4Answer : kMaxIcmpv6Answer));
  const ByteView icmp = answer.subspan(inner->header_length);
  ChecksumSum sum;
  if (inner->version == 4) {
    require(internet_checksum(answer.first(inner->header_length)) == 0);
  } else {
    sum.add_pseudo_header(inner->source, inner->destination, inner->protocol,
                          static_cast<std::uint32_t>(icmp.size()));
  }
  sum.add(icmp);
  require(sum.finish() == 0);
  const ByteView quote = icmp.subspan(8);
  require(quote.size() <= asked.total_length);
  require(std::equal(quote.begin(), quote.end(), packet.begin()));

  std::array<std::uint8_t, kMaxIcmpv6Answer> again;
  require(build_unreachable(answer, RejectReason::kProhibited, again) == 0);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // The first two bytes say how much room an answer has; the rest is the packet.
  if (size < 2) return 0;
  std::array<std::uint8_t, kMaxIcmpv6Answer> buffer;
  const std::size_t room = load_le<std::uint16_t>(data) % (buffer.size() + 1);
  const MutableBytes into = MutableBytes(buffer).first(room);
  const ByteView packet(data + 2, size - 2);

  static_cast<void>(classify_frame(packet));
  const auto inner = parse_inner(packet);
  if (inner) {
    require(inner->total_length <= packet.size());
    require(inner->header_length <= inner->total_length);
    require(inner->version == 4 || inner->version == 6);
    require(inner->source.is_v4() == (inner->version == 4));
    require(inner->destination.is_v4() == (inner->version == 4));
  }
  for (const RejectReason reason : {RejectReason::kHostUnreachable, RejectReason::kProhibited}) {
    const std::size_t written = build_unreachable(packet, reason, into);
    require(written <= room && (inner || written == 0));
    if (inner) check_answer(packet, *inner, into.first(written));
  }
  const std::size_t written = build_too_big(packet, 1280, into);
  require(written <= room && (inner || written == 0));
  if (inner) check_answer(packet, *inner, into.first(written));
  return 0;
}
