#include "tests/unit/engine/merging.hpp"

#include <map>

#include "engine/path/transport.hpp"

namespace ipop::engine {
namespace {

constexpr std::size_t kInFront = 16;  // the data header, in the engine

bool is_v4(const Bytes& packet) {
  return packet.at(0) >> 4 == 4;
}

std::size_t ip_header_size(const Bytes& packet) {
  return is_v4(packet) ? packet[0] % 16u * 4 : 40;
}

bool ip_checksum_is_right(const Bytes& packet) {
  const auto end = packet.begin() + static_cast<std::ptrdiff_t>(ip_header_size(packet));
  return !is_v4(packet) || naive_checksum(Bytes(packet.begin(), end)) == 0;
}

// Addresses, protocol and ports; without ports for what may belong to any flow, and nothing else
// than TCP and UDP has an order.
struct Flow {
  Bytes key;
  bool any = false;
};

Flow flow_of(const Bytes& packet) {
  const bool v4 = is_v4(packet);
  const std::size_t header = ip_header_size(packet);
  const std::uint8_t protocol = packet[v4 ? 9 : 6];
  const auto inner = parse_inner(packet);
  if (protocol == (v4 ? 1 : 58)) return {.key = {protocol}};
  if (!inner || !parse_transport(packet, *inner)) return {.key = {0xff, 0xff}, .any = true};
  Bytes key(packet.begin() + (v4 ? 12 : 8), packet.begin() + (v4 ? 20 : 40));
  key.insert(key.end(), packet.begin() + static_cast<std::ptrdiff_t>(header),
             packet.begin() + static_cast<std::ptrdiff_t>(header) + 4);
  key.push_back(protocol);
  return {.key = key};
}

void put_ip_checksum(Bytes& packet) {
  packet[10] = packet[11] = 0;
  const auto end = packet.begin() + static_cast<std::ptrdiff_t>(ip_header_size(packet));
  store_be(&packet[10], naive_checksum(Bytes(packet.begin(), end)));
}

// What merging may change: the id of a packet that is never cut, which means nothing (RFC 6864
// §4.1), and which of the two zeros a right checksum is.
Bytes as_merged(Bytes packet, const FrameMarks& marks) {
  if (naive_transport_checksum(packet, marks.transport_start, marks.is_tcp) == 0) {
    packet = with_whole_checksum(packet, marks.transport_start, marks.is_tcp);
  }
  if (!is_v4(packet) || !ip_checksum_is_right(packet)) return packet;
  if ((packet[6] & 0x40) != 0) packet[4] = packet[5] = 0;
  put_ip_checksum(packet);
  return packet;
}

struct Cut {
  Bytes packet;
  const MergedFrame* of;
};

// As a kernel or card completes it: adds what the field holds and what follows.
std::string judge_checksums(const MergedFrame& frame) {
  const Bytes packet = packet_of(frame.bytes);
  if (frame.packets > 1 && !ip_checksum_is_right(packet)) return "a wrong IPv4 header checksum";
  const auto inner = parse_inner(packet);
  if (!inner || inner->total_length != packet.size()) return "a wrong IP length";
  if (frame.packets == 1) return "";
  Bytes done = packet;
  const std::size_t start = frame.marks.transport_start;
  complete_checksum(MutableBytes(done).subspan(start), frame.marks.is_tcp ? 16 : 6);
  return naive_transport_checksum(done, start, frame.marks.is_tcp) == 0
             ? ""
             : "a partial checksum that completes to a wrong one";
}

}  // namespace

void Merging::add(const Arrival& arrival) {
  const auto inner = parse_inner(arrival.packet);
  if (!inner || (arrival.partial && !parse_transport(arrival.packet, *inner))) return;
  if (coalescer_.full()) finish_turn();
  Bytes packet(arrival.packet.begin(), arrival.packet.begin() + inner->total_length);
  taken_.push_back({packet, arrival.partial});
  // Exactly as large as the contract says, for sanitizers.
  packet.insert(packet.begin(), kInFront, 0xee);
  buffers_.push_back(std::move(packet));
  std::uint8_t* const at = buffers_.back().data() + kInFront;
  if (arrival.partial) *at |= kPartialBit;
  if (expecting_ && coalescer_.extend(at, inner->total_length)) {
    ++extended_;
    return;
  }
  if (arrival.partial) *at &= static_cast<std::uint8_t>(~kPartialBit);
  const Transport transport = parse_transport({at, inner->total_length}, *inner);
  expecting_ |= coalescer_.add(at, *inner, transport, arrival.partial);
}

void Merging::finish_turn() {
  for (const HostFrame& frame : coalescer_.finish())
    frames_.push_back({gather(frame), marks_of(frame), frame.packets});
  coalescer_.clear();
  buffers_.clear();
}

std::vector<std::size_t> Merging::counts() const {
  std::vector<std::size_t> counts;
  for (const MergedFrame& frame : frames_)
    counts.push_back(frame.packets);
  return counts;
}

std::string Merging::complaint() const {
  std::vector<Cut> out;
  for (const MergedFrame& frame : frames_) {
    if (const std::string wrong = judge_checksums(frame); !wrong.empty()) return wrong;
    const auto packets = packets_of(frame.bytes, frame.marks);
    if (packets.size() != frame.packets) return "another number of packets than it says";
    for (const Bytes& packet : packets)
      out.push_back({packet, &frame});
  }
  if (out.size() != taken_.size()) return "packets were lost or invented";

  // The place in the output of each flow's packets, in their order.
  std::map<Bytes, std::deque<std::size_t>> places;
  for (std::size_t i = 0; i < out.size(); ++i)
    places[flow_of(out[i].packet).key].push_back(i);
  std::size_t latest = 0;  // place of any packet so far
  std::size_t barrier = 0;
  for (std::size_t i = 0; i < taken_.size(); ++i) {
    const Flow flow = flow_of(taken_[i].packet);
    std::deque<std::size_t>& queue = places[flow.key];
    if (queue.empty()) return "a flow's packet was lost";
    const std::size_t place = queue.front();
    queue.pop_front();
    if (place < barrier) return "a packet overtook one that may belong to its flow";
    if (flow.any && place < latest) return "one that may belong to any flow overtook a packet";
    latest = std::max(latest, place);
    if (flow.any) barrier = place;

    Bytes expected = taken_[i].packet;
    if (taken_[i].partial) {
      expected = with_whole_checksum(expected, ip_header_size(expected),
                                     expected[is_v4(expected) ? 9 : 6] == kProtocolTcp);
    }
    Bytes got = out[place].packet;
    if (const MergedFrame& frame = *out[place].of; frame.packets > 1) {
      expected = as_merged(expected, frame.marks);
      got = as_merged(got, frame.marks);
    }
    if (got != expected) return "packet " + std::to_string(i) + " was changed";
  }
  return "";
}

}  // namespace ipop::engine
