// A frame of the host behind its virtio-net header: marks, then the headers of all segments.
// Nothing is read or written outside, and whatever is taken for a super-packet is cut as the model
// cuts it.
#include <algorithm>
#include <cstdlib>
#include <memory>

#include "engine/path/inner_packet.hpp"
#include "engine/path/packet.hpp"
#include "engine/path/segment.hpp"
#include "engine/path/transport.hpp"
#include "kni/offload_marks.hpp"
#include "tests/unit/engine/transport_packets.hpp"

namespace {

using namespace ipop;
using namespace ipop::engine;

constexpr std::size_t kModelBytes = 4096;  // longer ones take the slow model too long

void check(bool right) {
  if (!right) std::abort();
}

void cut(const SuperPacket& super, const Bytes& packet, bool is_tcp) {
  const bool modelled = super.count() * super.headers() + packet.size() <= kModelBytes;
  const auto expected =
      modelled ? cut_super(packet, super.transport_start(), is_tcp, super.segment_size())
               : std::vector<Bytes>{};
  check(!modelled || expected.size() == super.count());
  std::size_t sum = 0;
  for (std::uint32_t i = 0; i < super.count(); ++i) {
    // Of their own, so that a sanitizer sees the byte behind them.
    const auto headers = std::make_unique<std::uint8_t[]>(super.headers());
    super.write_headers(i, headers.get());
    check(super.payload_start(i) + super.payload(i) <= packet.size());
    check(super.payload(i) != 0);
    sum += super.payload(i);
    if (!modelled) continue;
    Bytes segment(headers.get(), headers.get() + super.headers());
    const auto payload = packet.begin() + super.payload_start(i);
    segment.insert(segment.end(), payload, payload + super.payload(i));
    check(parse_inner(segment).has_value());
    complete_checksum(MutableBytes(segment).subspan(super.transport_start()),
                      super.checksum_offset());
    // The host's own sum may be anything.
    check(with_whole_checksum(segment, super.transport_start(), is_tcp) == expected[i]);
  }
  check(sum == super.total_payload());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  kni::VnetHeaderBytes header;
  if (size < header.size() + kEthernetHeader || size > UINT16_MAX) return 0;
  std::copy_n(data, header.size(), header.begin());
  Bytes frame(data + header.size(), data + size);
  frame.shrink_to_fit();
  const auto packet = std::make_unique<rte_mbuf>();
  packet->buf_addr = frame.data();
  packet->nb_segs = 1;
  set_length(packet.get(), static_cast<std::uint32_t>(frame.size()));
  if (kni::mark_offloads(kni::VnetHeader::read(header), packet.get()) != kni::Marking::kMarked) {
    return 0;
  }
  if (packet->ol_flags == 0) return 0;
  // Whatever is marked has its transport header inside the frame.
  check(packet->l2_len + packet->l3_len + 8u <= packet->pkt_len);
  if (packet->tso_segsz == 0) return 0;
  check(packet_count(packet.get()) != 0);
  cut_front(packet.get(), kEthernetHeader);
  packet->l2_len = 0;
  const auto inner = parse_inner(bytes_of(packet.get()));
  if (!inner || inner->total_length != packet->pkt_len) return 0;
  const auto super = SuperPacket::of(packet.get(), *inner);
  if (!super) return 0;
  check(super->count() == packet_count(packet.get()));
  cut(*super, Bytes(frame.begin() + kEthernetHeader, frame.end()),
      (packet->ol_flags & RTE_MBUF_F_TX_TCP_SEG) != 0);
  return 0;
}
