#include "overlay/directory/sealed_box.hpp"

#include <sodium.h>

namespace ipop::overlay {
namespace {

constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
static_assert(kSealedBoxOverhead == kNonce + kTag);

// What the tag covers besides the text: the place, which has a fixed size, then the kind.
std::vector<std::uint8_t> associated_data(std::string_view kind, const DirectoryKey& at) {
  std::vector<std::uint8_t> data(at.bytes.size() + kind.size());
  ByteWriter writer(data);
  writer.bytes(at.bytes);
  writer.bytes({reinterpret_cast<const std::uint8_t*>(kind.data()), kind.size()});
  return data;
}

}  // namespace

std::vector<std::uint8_t> seal_box(const Secret<32>& key, std::string_view kind,
                                   const DirectoryKey& at, ByteView plaintext) {
  const auto data = associated_data(kind, at);
  std::vector<std::uint8_t> sealed(kSealedBoxOverhead + plaintext.size());
  randombytes_buf(sealed.data(), kNonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(sealed.data() + kNonce, nullptr, plaintext.data(),
                                             plaintext.size(), data.data(), data.size(), nullptr,
                                             sealed.data(), key.data());
  return sealed;
}

Result<std::vector<std::uint8_t>> open_box(const Secret<32>& key, std::string_view kind,
                                           const DirectoryKey& at, ByteView sealed) {
  if (sealed.size() < kSealedBoxOverhead) return fail("too short to be sealed");
  const auto data = associated_data(kind, at);
  std::vector<std::uint8_t> plaintext(sealed.size() - kSealedBoxOverhead);
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(
          plaintext.data(), nullptr, nullptr, sealed.data() + kNonce, sealed.size() - kNonce,
          data.data(), data.size(), sealed.data(), key.data()) != 0) {
    return fail("not sealed for this network and place, or damaged");
  }
  return plaintext;
}

}  // namespace ipop::overlay
