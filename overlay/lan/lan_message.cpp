#include "overlay/lan/lan_message.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "overlay/directory/sealed_box.hpp"

namespace ipop::overlay {
namespace {

constexpr std::string_view kFormat = "ipop lan message v1";
constexpr std::array<std::uint8_t, 4> kMark{0x06, 0, 0, 0};
constexpr std::size_t kFields = 1 + 16;

}  // namespace

std::vector<std::uint8_t> LanMessage::seal(const Identity& identity,
                                           const NetworkKey& network) const {
  const DirectoryKey at = network.lan_key();
  const DirectoryValue record = from.seal(identity, network, at);
  std::vector<std::uint8_t> plaintext(kFields + record.size());
  ByteWriter writer(plaintext);
  writer.u8(static_cast<std::uint8_t>(kind));
  writer.bytes(address.bytes());
  writer.bytes(record);
  const auto sealed = seal_box(network.record_seal(), kFormat, at, plaintext);
  std::vector<std::uint8_t> datagram(kMark.size() + sealed.size());
  ByteWriter whole(datagram);
  whole.bytes(kMark);
  whole.bytes(sealed);
  return datagram;
}

Result<std::vector<std::uint8_t>> LanMessage::unseal(ByteView datagram, const NetworkKey& network) {
  const bool marked = datagram.size() > kMark.size() && datagram.size() <= kMaxSize &&
                      std::ranges::equal(datagram.first(kMark.size()), kMark);
  if (!marked) return fail("no message of this protocol");
  return open_box(network.record_seal(), kFormat, network.lan_key(),
                  datagram.subspan(kMark.size()));
}

Result<LanMessage> LanMessage::parse(ByteView unsealed, const NetworkKey& network, WallTime now) {
  ByteReader reader(unsealed);
  LanMessage message;
  const std::uint8_t kind = reader.u8();
  IpAddress::Bytes address{};
  reader.copy(address);
  if (!reader.ok() || kind < static_cast<std::uint8_t>(Kind::kHere) ||
      kind > static_cast<std::uint8_t>(Kind::kWhoHolds)) {
    return fail("malformed");
  }
  message.kind = static_cast<Kind>(kind);
  message.address = IpAddress(address);
  auto record = NodeRecord::open(reader.bytes(reader.remaining()), network, network.lan_key(), now);
  if (!record) return std::unexpected(record.error());
  message.from = std::move(*record);
  return message;
}

}  // namespace ipop::overlay
