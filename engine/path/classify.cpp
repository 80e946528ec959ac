#include "engine/path/classify.hpp"

#include "engine/path/data_header.hpp"
#include "engine/path/relay_header.hpp"

namespace ipop::engine {
namespace {

// Message sizes of WireGuard (paper §5.4.2, §5.4.3, §5.4.7). The IPOP forms carry an encrypted
// payload and are as long or longer.
constexpr std::size_t kInitiation = 148;
constexpr std::size_t kResponse = 92;
constexpr std::size_t kCookieReply = 64;

constexpr std::size_t kStunHeader = 20;  // RFC 8489 §5
constexpr std::uint32_t kStunCookie = 0x2112a442;

WireKind known_if(bool condition, WireKind kind) noexcept {
  return condition ? kind : WireKind::kUnknown;
}

}  // namespace

WireKind classify(ByteView datagram) noexcept {
  const std::size_t size = datagram.size();
  if (size < 4) return WireKind::kUnknown;
  const std::uint8_t* const at = datagram.data();
  switch (load_le<std::uint32_t>(at)) {
    case kDataType:
      return size >= kDataHeader + kTagSize ? WireKind::kData : WireKind::kUnknown;
    case 0x01:
      return known_if(size == kInitiation, WireKind::kHandshake);
    case 0x02:
      return known_if(size == kResponse, WireKind::kHandshake);
    case 0x03:
      return known_if(size == kCookieReply, WireKind::kHandshake);
    case 0x11:
      return known_if(size >= kInitiation, WireKind::kHandshake);
    case 0x12:
      return known_if(size >= kResponse, WireKind::kHandshake);
    default:
      break;
  }
  // OpenDHT packs each message as one MessagePack map of at most 15 entries.
  if (at[0] >= 0x80 && at[0] <= 0x8f) return WireKind::kOverlay;
  if (at[0] <= 0x01) {
    return known_if(size >= kStunHeader && load_be<std::uint32_t>(at + 4) == kStunCookie,
                    WireKind::kOverlay);
  }
  const bool relay = at[0] == kRelayType && at[2] == 0 && at[3] == 0;
  return known_if(relay && size >= kRelayHeader + 4, WireKind::kRelay);
}

}  // namespace ipop::engine
