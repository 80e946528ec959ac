#include "overlay/port_mapping/nat_pmp_message.hpp"

namespace ipop::overlay::nat_pmp {
namespace {

constexpr std::uint8_t kVersion = 0;
constexpr std::uint8_t kAddressOpcode = 0;
constexpr std::uint8_t kMapUdpOpcode = 1;
constexpr std::uint8_t kAnswer = 128;

struct Header {
  Code code;
  std::uint32_t epoch_s;
};

// Refusals may end after it.
std::optional<Header> read_header(ByteReader& reader, std::uint8_t opcode) {
  const std::uint8_t version = reader.u8();
  const std::uint8_t answered = reader.u8();
  const auto code = reader.be<std::uint16_t>();
  const auto epoch_s = reader.be<std::uint32_t>();
  if (!reader.ok() || version != kVersion || answered != (kAnswer | opcode)) return std::nullopt;
  return Header{static_cast<Code>(code), epoch_s};
}

}  // namespace

std::array<std::uint8_t, 2> encode_address_request() noexcept {
  return {kVersion, kAddressOpcode};
}

std::array<std::uint8_t, 12> encode_map_request(std::uint16_t inner_port, std::uint16_t outer_port,
                                                std::uint32_t life_s) noexcept {
  std::array<std::uint8_t, 12> request{kVersion, kMapUdpOpcode};
  store_be(&request[4], inner_port);
  store_be(&request[6], outer_port);
  store_be(&request[8], life_s);
  return request;
}

std::optional<AddressAnswer> parse_address_answer(ByteView datagram) {
  ByteReader reader(datagram);
  const auto header = read_header(reader, kAddressOpcode);
  if (!header) return std::nullopt;
  AddressAnswer answer{.code = header->code, .epoch_s = header->epoch_s};
  if (header->code != Code::kSuccess) return answer;
  answer.outside = IpAddress::v4(reader.be<std::uint32_t>());
  if (!reader.ok()) return std::nullopt;
  return answer;
}

std::optional<MapAnswer> parse_map_answer(ByteView datagram, std::uint16_t inner_port) {
  ByteReader reader(datagram);
  const auto header = read_header(reader, kMapUdpOpcode);
  if (!header) return std::nullopt;
  MapAnswer answer{.code = header->code, .epoch_s = header->epoch_s};
  if (header->code != Code::kSuccess) return answer;
  const auto inner = reader.be<std::uint16_t>();
  answer.outer_port = reader.be<std::uint16_t>();
  answer.life_s = reader.be<std::uint32_t>();
  if (!reader.ok() || inner != inner_port) return std::nullopt;
  return answer;
}

bool Epoch::restarted(std::uint32_t epoch_s, Instant now) noexcept {
  bool behind = false;
  if (epoch_s_) {
    const auto passed_s = (now - at_) / std::chrono::seconds(1);
    // Its clock may be slow by an eighth, and two seconds.
    behind = std::int64_t{epoch_s} + 2 < std::int64_t{*epoch_s_} + passed_s * 7 / 8;
  }
  epoch_s_ = epoch_s;
  at_ = now;
  return behind;
}

}  // namespace ipop::overlay::nat_pmp
