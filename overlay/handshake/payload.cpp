#include "overlay/handshake/payload.hpp"

#include <algorithm>

namespace ipop::overlay::handshake {
namespace {

// Credential digest (32), suites (1), capabilities (4, LE), lanes sent (1), lanes taken (1); later
// versions append.
constexpr std::size_t kPayloadSize = 32 + 1 + 4 + 1 + 1;
static_assert(kPayloadSize <= kMaxPayload);

}  // namespace

std::vector<std::uint8_t> Payload::encode() const {
  std::vector<std::uint8_t> bytes(kPayloadSize);
  ByteWriter writer(bytes);
  writer.bytes(credential);
  writer.u8(suites);
  writer.le(capabilities);
  writer.u8(lanes_sent);
  writer.u8(lanes_taken);
  return bytes;
}

Result<Payload> Payload::parse(ByteView bytes) {
  if (bytes.size() > kMaxPayload) return fail("handshake payload is too long");
  ByteReader reader(bytes);
  Payload payload;
  reader.copy(payload.credential);
  payload.suites = reader.u8();
  payload.capabilities = reader.le<std::uint32_t>();
  if (!reader.ok()) return fail("handshake payload is too short");
  if (reader.remaining() >= 2) {
    payload.lanes_sent = std::max<std::uint8_t>(reader.u8(), 1);
    payload.lanes_taken = std::max<std::uint8_t>(reader.u8(), 1);
  }
  if (payload.suites == 0) return fail("handshake payload names no AEAD suite");
  return payload;
}

engine::AeadSuite choose_suite(std::uint8_t offered, std::uint8_t own) noexcept {
  const std::uint8_t aes = suite_bit(engine::AeadSuite::kAes256Gcm);
  return (offered & own & aes) != 0 ? engine::AeadSuite::kAes256Gcm
                                    : engine::AeadSuite::kChaCha20Poly1305;
}

std::optional<engine::AeadSuite> chosen_suite(std::uint8_t answered,
                                              std::uint8_t offered) noexcept {
  for (const auto suite : {engine::AeadSuite::kChaCha20Poly1305, engine::AeadSuite::kAes256Gcm}) {
    if (answered == suite_bit(suite) && (offered & answered) != 0) return suite;
  }
  return std::nullopt;
}

}  // namespace ipop::overlay::handshake
