#include "overlay/trust/x509/key_binding.hpp"

#include <string_view>

#include "overlay/trust/x509/openssl.hpp"

namespace ipop::overlay::x509 {
namespace {

constexpr std::string_view kLabel = "ipop key binding v1";
constexpr std::size_t kMessage = kLabel.size() + 32 + 32 + 8;

std::array<std::uint8_t, kMessage> message_of(const SigningPublicKey& node,
                                              const NetworkId& network,
                                              std::chrono::sys_seconds not_after) {
  std::array<std::uint8_t, kMessage> message{};
  ByteWriter writer(message);
  writer.bytes({reinterpret_cast<const std::uint8_t*>(kLabel.data()), kLabel.size()});
  writer.bytes(node);
  writer.bytes(network);
  writer.le(static_cast<std::uint64_t>(not_after.time_since_epoch().count()));
  return message;
}

}  // namespace

Result<KeyBinding> KeyBinding::make(const HostKey& key, const SigningPublicKey& node,
                                    const NetworkId& network, std::chrono::sys_seconds not_after) {
  auto signature = key.sign(message_of(node, network, not_after));
  if (!signature) return std::unexpected(signature.error());
  return KeyBinding{not_after, std::move(*signature)};
}

Judged<void> KeyBinding::judge(const Certificate& certificate, const SigningPublicKey& node,
                               const NetworkId& network, WallTime now) const {
  if (!is_taken(certificate)) {
    return refuse(Reason::kWeak,
                  "the key of its certificate is none of RSA with 2048 to 8192 bits, ECDSA P-256 "
                  "or P-384, and Ed25519");
  }
  if (signature.size() > kMaxSignature ||
      !verify(certificate, message_of(node, network, not_after), signature)) {
    return refuse(Reason::kBindingOfAnother, "the key of its certificate (" + certificate.name() +
                                                 ") did not sign for this node in this network");
  }
  if (std::chrono::floor<std::chrono::seconds>(now) >= not_after) {
    return refuse(Reason::kBindingExpired,
                  "its key binding has expired on " + to_text(WallTime(not_after)));
  }
  return {};
}

}  // namespace ipop::overlay::x509
