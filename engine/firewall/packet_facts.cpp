#include "engine/firewall/packet_facts.hpp"

namespace ipop::engine::firewall {
namespace {

constexpr std::size_t kHeader4 = 20;
constexpr std::size_t kHeader6 = 40;
constexpr unsigned kMostExtensions = 8;

constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kDestinationOptions = 60;

struct Upper {
  std::size_t at = 0;        // where the transport header stands, or would
  std::uint32_t offset = 0;  // of this fragment's bytes within the whole, without IPv6's headers
  bool more = false;         // fragments to come
  bool is_fragment = false;
};

bool has_port_fields(std::uint8_t protocol) noexcept {
  return protocol == kTcp || protocol == kUdp || protocol == kSctp || protocol == kDccp ||
         protocol == kUdpLite;
}

// What a host wants to see of a header at least.
std::size_t shortest(std::uint8_t protocol) noexcept {
  switch (protocol) {
    case kTcp:
      return 20;
    case kSctp:
    case kDccp:
      return 12;
    case kUdp:
    case kUdpLite:
      return 8;
    default:
      return 0;
  }
}

bool find_upper_4(ByteView packet, PacketFacts& facts, Upper& upper) noexcept {
  if (packet.size() < kHeader4) return false;
  upper.at = std::size_t{packet[0] & 0x0fu} * 4;
  if (upper.at < kHeader4 || upper.at > packet.size()) return false;
  facts.protocol = packet[9];
  const auto bits = load_be<std::uint16_t>(&packet[6]);
  upper.more = (bits & 0x2000) != 0;
  upper.offset = (bits & 0x1fffu) * 8;
  upper.is_fragment = upper.more || upper.offset != 0;
  if (upper.is_fragment) facts.fragment_id = load_be<std::uint16_t>(&packet[4]);
  return true;
}

// RFC 8200 §4: headers of a known form, one after another.
bool find_upper_6(ByteView packet, PacketFacts& facts, Upper& upper) noexcept {
  if (packet.size() < kHeader6) return false;
  std::uint8_t next = packet[6];
  std::size_t at = kHeader6;
  for (unsigned passed = 0;; ++passed) {
    const bool options = next == kHopByHop || next == kRouting || next == kDestinationOptions;
    if (!options && next != kFragment) break;
    if (passed == kMostExtensions || packet.size() - at < 8) return false;
    const std::uint8_t* const header = &packet[at];
    if (options) {
      at += (std::size_t{header[1]} + 1) * 8;
    } else {
      const auto bits = load_be<std::uint16_t>(header + 2);
      at += 8;
      // RFC 6946: a fragment that is all there is, is whole. And none stands within another.
      if ((bits & 0xfff9) != 0) {
        if (upper.is_fragment) return false;
        upper.is_fragment = true;
        upper.more = (bits & 1) != 0;
        upper.offset = bits & 0xfff8u;
        facts.fragment_id = load_be<std::uint32_t>(header + 4);
      }
    }
    next = header[0];
    if (at > packet.size()) return false;
    if (upper.offset != 0) break;  // what follows is not a header
  }
  facts.protocol = next;
  upper.at = at;
  return true;
}

void set_ports(const std::uint8_t* at, bool forward, PacketFacts& facts) noexcept {
  const auto source = load_be<std::uint16_t>(at);
  const auto destination = load_be<std::uint16_t>(at + 2);
  facts.has_ports = true;
  facts.remote_port = forward ? source : destination;
  facts.local_port = forward ? destination : source;
}

PacketFacts::IcmpKind kind_of(bool v4, std::uint8_t type) noexcept {
  using enum PacketFacts::IcmpKind;
  if (!v4) {
    if (type == 128) return kQuery;
    if (type == 129) return kReply;
    return type >= 1 && type <= 4 ? kError : kOther;
  }
  switch (type) {
    case 8:  // echo, time stamp, information, address mask
    case 13:
    case 15:
    case 17:
      return kQuery;
    case 0:
    case 14:
    case 16:
    case 18:
      return kReply;
    case 3:  // unreachable, time exceeded, parameter problem
    case 11:
    case 12:
      return kError;
    default:
      return kOther;
  }
}

// `least`: of a header, what must be there.
bool read_upper(ByteView packet, std::size_t at, std::size_t least, bool inward,
                PacketFacts& facts) noexcept {
  const std::size_t left = packet.size() - at;
  const std::uint8_t* const header = packet.data() + at;
  if (has_port_fields(facts.protocol)) {
    if (left < least) return false;
    set_ports(header, inward, facts);
    if (facts.protocol == kTcp && left >= 14) facts.tcp_flags = header[13];
  } else if (facts.is_icmp()) {
    if (left < 8) return false;
    facts.icmp_type = header[0];
    facts.icmp = kind_of(facts.remote.is_v4(), header[0]);
    using enum PacketFacts::IcmpKind;
    if (facts.icmp == kQuery || facts.icmp == kReply) {
      facts.query_id = load_be<std::uint16_t>(header + 4);
    } else if (facts.icmp == kError) {
      facts.quote = static_cast<std::uint16_t>(at + 8);
    }
  }
  return true;
}

bool read_network(ByteView packet, bool inward, PacketFacts& facts, Upper& upper) noexcept {
  if (packet.empty()) return false;
  const bool v4 = packet[0] >> 4 == 4;
  if (v4 ? !find_upper_4(packet, facts, upper) : !find_upper_6(packet, facts, upper)) return false;
  const std::uint8_t* const at = packet.data() + (v4 ? 12 : 8);
  const std::size_t size = v4 ? 4 : 16;
  const auto address = [&](const std::uint8_t* from) {
    return v4 ? IpAddress::v4_at(from) : IpAddress::v6_at(from);
  };
  facts.remote = address(inward ? at : at + size);
  facts.local = address(inward ? at + size : at);
  facts.is_plain = !upper.is_fragment && upper.at == (v4 ? kHeader4 : kHeader6);
  return true;
}

}  // namespace

bool read_facts(ByteView packet, Direction direction, PacketFacts& facts) noexcept {
  facts = {};
  Upper upper;
  const bool inward = direction == Direction::kIn;
  if (!read_network(packet, inward, facts, upper)) return false;
  const std::size_t least = shortest(facts.protocol);
  if (upper.offset != 0) {
    facts.part = PacketFacts::Part::kLater;
    // RFC 3128: it would write over what the first one showed.
    return upper.offset >= least;
  }
  if (upper.is_fragment) facts.part = PacketFacts::Part::kFirst;
  return read_upper(packet, upper.at, least, inward, facts);
}

std::optional<PacketFacts> read_quote(ByteView packet, const PacketFacts& error,
                                      Direction direction) noexcept {
  const ByteView quote = packet.subspan(error.quote);
  // The quoted packet went the other way: for an error that comes in, its source is ours.
  const bool inward = direction == Direction::kOut;
  PacketFacts facts;
  Upper upper;
  if (quote.empty() || quote[0] >> 4 != (error.remote.is_v4() ? 4 : 6) ||
      !read_network(quote, inward, facts, upper) || upper.offset != 0) {
    return std::nullopt;
  }
  constexpr std::size_t kPorts = 4;
  if (!read_upper(quote, upper.at, kPorts, inward, facts)) return std::nullopt;
  return facts;
}

}  // namespace ipop::engine::firewall
