#include "tests/unit/engine/kernels/gcm_reference.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <cstring>

#include "engine/aead/gcm/gcm_key.hpp"

namespace ipop::engine::gcm {

Bytes random_bytes(std::mt19937_64& random, std::size_t size) {
  Bytes bytes(size);
  for (auto& byte : bytes)
    byte = static_cast<std::uint8_t>(random());
  return bytes;
}

Key::Key(std::mt19937_64& random) {
  for (auto& byte : raw)
    byte = static_cast<std::uint8_t>(random());
  expanded.salt = static_cast<std::uint32_t>(random());
  expand_gcm_key(raw.data(), *reinterpret_cast<GcmKey*>(expanded.storage()));
}

Bytes openssl_seal(const Key& key, std::uint64_t counter, std::span<const std::uint8_t> plain) {
  static const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> context(
      EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
  std::array<std::uint8_t, 12> nonce{};
  std::memcpy(nonce.data(), &key.expanded.salt, 4);
  for (int i = 0; i < 8; ++i)
    nonce[4 + i] = static_cast<std::uint8_t>(counter >> (8 * i));
  Bytes sealed(plain.size() + kTagSize);
  int written = 0;
  int done =
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, key.raw.data(), nonce.data());
  done &= EVP_EncryptUpdate(context.get(), sealed.data(), &written, plain.data(),
                            static_cast<int>(plain.size()));
  done &= EVP_EncryptFinal_ex(context.get(), sealed.data() + written, &written);
  done &= EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize,
                              sealed.data() + plain.size());
  EXPECT_EQ(done, 1);
  return sealed;
}

Packet::Packet(const Key& key, std::uint64_t counter, const Form& form, std::mt19937_64& random)
    : key_(&key),
      counter_(counter),
      form_(form),
      plain_(random_bytes(random, form.length)),
      sealed_(openssl_seal(key, counter, plain_)),
      front_(plain_.begin(), plain_.begin() + static_cast<std::ptrdiff_t>(form.front)) {}

AeadJob Packet::job(const Bytes& text, std::size_t front, std::size_t out_size) {
  const std::size_t begin = kAround + form_.shift;
  in_.assign(begin + sealed_.size() + kAround, kFiller);
  std::copy(text.begin() + static_cast<std::ptrdiff_t>(front), text.end(),
            in_.begin() + static_cast<std::ptrdiff_t>(begin + front));
  out_.assign(begin + out_size + kAround, kFiller);
  return {.key = &key_->expanded,
          .in = in_.data() + begin + front,
          .out = (form_.in_place ? in_ : out_).data() + begin,
          .length = static_cast<std::uint32_t>(plain_.size()),
          .counter = counter_,
          .front = front == 0 ? nullptr : front_.data(),
          .front_length = static_cast<std::uint32_t>(front)};
}

AeadJob Packet::to_seal() {
  return job(plain_, form_.front, sealed_.size());
}

AeadJob Packet::to_open() {
  return job(sealed_, 0, plain_.size());
}

void Packet::damage(std::size_t bit) {
  in_[kAround + form_.shift + bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
}

void Packet::expect_out(const Bytes& wanted) const {
  const Bytes& out = form_.in_place ? in_ : out_;
  const std::size_t begin = kAround + form_.shift;
  const std::size_t end = begin + wanted.size();
  const auto is_filler = [](std::uint8_t byte) { return byte == kFiller; };
  // In place, the tag that was opened still stands behind the text.
  const std::size_t rest = form_.in_place ? begin + sealed_.size() : end;
  ASSERT_TRUE(std::equal(wanted.begin(), wanted.end(), out.begin() + begin))
      << form_.length << " bytes, front " << form_.front << ", shift " << form_.shift
      << (form_.in_place ? ", in place" : "");
  ASSERT_TRUE(std::all_of(out.begin(), out.begin() + begin, is_filler)) << form_.length;
  ASSERT_TRUE(std::all_of(out.begin() + rest, out.end(), is_filler)) << form_.length;
}

void Packet::expect_sealed(const AeadJob& job) const {
  ASSERT_TRUE(job.ok);
  expect_out(sealed_);
  if (form_.front == 0) return;
  // Nothing was written in front of what was to be sealed, nor behind.
  const std::size_t begin = kAround + form_.shift;
  Bytes in(begin + form_.front, kFiller);
  in.insert(in.end(), plain_.begin() + static_cast<std::ptrdiff_t>(form_.front), plain_.end());
  in.resize(in_.size(), kFiller);
  ASSERT_TRUE(in == in_) << form_.length << " bytes, front " << form_.front;
}

void Packet::expect_opened(const AeadJob& job) const {
  ASSERT_TRUE(job.ok) << form_.length << " bytes";
  expect_out(plain_);
}

}  // namespace ipop::engine::gcm
