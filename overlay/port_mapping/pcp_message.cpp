#include "overlay/port_mapping/pcp_message.hpp"

namespace ipop::overlay::pcp {
namespace {

constexpr std::uint8_t kVersion = 2;
constexpr std::uint8_t kMapOpcode = 1;
constexpr std::uint8_t kAnswer = 0x80;
constexpr std::uint8_t kUdp = 17;
constexpr std::size_t kSize = 60;

}  // namespace

std::array<std::uint8_t, 60> encode_map_request(const MapRequest& request) noexcept {
  std::array<std::uint8_t, kSize> bytes{};
  ByteWriter writer(bytes);
  writer.u8(kVersion);
  writer.u8(kMapOpcode);
  writer.be(std::uint16_t{0});
  writer.be(request.life_s);
  writer.bytes(request.client.bytes());
  writer.bytes(request.nonce);
  writer.u8(kUdp);
  writer.u8(0);
  writer.be(std::uint16_t{0});
  writer.be(request.inner_port);
  writer.be(request.outer_port);
  writer.bytes(IpAddress::v4(0).bytes());  // any IPv4 address
  return bytes;
}

std::optional<MapAnswer> parse_map_answer(ByteView datagram, const MapRequest& request) {
  ByteReader reader(datagram);
  const std::uint8_t version = reader.u8();
  const std::uint8_t opcode = reader.u8();
  if (!reader.ok() || (opcode & kAnswer) == 0) return std::nullopt;
  MapAnswer answer;
  if (version != kVersion) {
    // §9: of whatever form, it says that it knows another version.
    answer.code = Code::kUnsupportedVersion;
    return datagram.size() >= 4 ? std::optional(answer) : std::nullopt;
  }
  if (opcode != (kAnswer | kMapOpcode)) return std::nullopt;
  static_cast<void>(reader.u8());
  answer.code = static_cast<Code>(reader.u8());
  answer.life_s = reader.be<std::uint32_t>();
  answer.epoch_s = reader.be<std::uint32_t>();
  static_cast<void>(reader.bytes(12));
  if (!reader.ok()) return std::nullopt;
  // A refusal may repeat the request, or end here.
  if (answer.code != Code::kSuccess && reader.remaining() < kSize - 24) return answer;
  Nonce nonce{};
  reader.copy(nonce);
  const std::uint8_t protocol = reader.u8();
  static_cast<void>(reader.bytes(3));
  const auto inner = reader.be<std::uint16_t>();
  answer.outside.port = reader.be<std::uint16_t>();
  IpAddress::Bytes address{};
  reader.copy(address);
  answer.outside.address = IpAddress(address);
  if (!reader.ok() || nonce != request.nonce || protocol != kUdp || inner != request.inner_port)
    return std::nullopt;
  return answer;
}

}  // namespace ipop::overlay::pcp
