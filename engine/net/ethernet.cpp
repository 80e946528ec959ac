#include "engine/net/ethernet.hpp"

namespace ipop::engine {
namespace {

constexpr std::uint16_t kVlanIdMask = 0x0fff;

}  // namespace

std::optional<ParsedEthernet> parse_ethernet(ByteView frame) noexcept {
  ByteReader in(frame);
  ParsedEthernet parsed;
  in.copy(parsed.header.to.bytes);
  in.copy(parsed.header.from.bytes);
  parsed.header.type = in.be<std::uint16_t>();
  if (parsed.header.type == kEtherTypeVlan) {
    parsed.header.vlan = in.be<std::uint16_t>() & kVlanIdMask;
    parsed.header.type = in.be<std::uint16_t>();
  }
  if (!in.ok()) return std::nullopt;
  parsed.size = frame.size() - in.remaining();
  return parsed;
}

void write_ethernet(const EthernetHeader& header, ByteWriter& out) noexcept {
  out.bytes(header.to.bytes);
  out.bytes(header.from.bytes);
  if (header.vlan != kNoVlan) {
    out.be(kEtherTypeVlan);
    out.be(header.vlan);
  }
  out.be(header.type);
}

}  // namespace ipop::engine
