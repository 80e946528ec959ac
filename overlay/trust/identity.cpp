#include "overlay/trust/identity.hpp"

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>

#include "base/fd.hpp"
#include "overlay/trust/state_file.hpp"

namespace ipop::overlay {
namespace {

constexpr std::size_t kSeedText = sodium_base64_ENCODED_LEN(32, sodium_base64_VARIANT_ORIGINAL);
// Room for the line's end and for seeing that a file is too long.
constexpr std::size_t kFileText = 64;

// Guarded pages exist only after sodium_init(), which may be called any number of times.
void start_sodium() {
  if (sodium_init() < 0) throw std::runtime_error("libsodium cannot start: no random numbers");
}

// The seed's line, wiped when it goes away.
Result<std::size_t> read_key_file(const std::filesystem::path& file, Secret<kFileText>& text) {
  const Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd) return fail_errno(file.string(), errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return fail_errno(file.string(), errno);
  if (!S_ISREG(status.st_mode)) return fail(file.string() + ": not a regular file");
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    return fail(file.string() +
                ": others than its owner may use this private key; run: chmod 600 " +
                file.string());
  }
  std::size_t size = 0;
  while (size < kFileText) {
    const ssize_t got = ::read(fd.get(), text.data() + size, kFileText - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno(file.string(), errno);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  return size;
}

}  // namespace

Identity::Identity(std::span<const std::uint8_t, 32> seed) {
  std::memcpy(seed_.bytes().data(), seed.data(), seed.size());
  crypto_sign_seed_keypair(signing_public_.data(), signing_secret_.bytes().data(),
                           seed_.bytes().data());
  crypto_sign_ed25519_sk_to_curve25519(exchange_secret_.bytes().data(),
                                       signing_secret_.bytes().data());
  crypto_scalarmult_base(exchange_public_.data(), exchange_secret_.bytes().data());
  node_id_ = NodeId::of(signing_public_);
}

Identity Identity::generate() {
  start_sodium();
  const Secret<32> seed = Secret<32>::random();
  return Identity(seed.bytes());
}

Result<Identity> Identity::load(const std::filesystem::path& file) {
  start_sodium();
  Secret<kFileText> text;
  const Result<std::size_t> size = read_key_file(file, text);
  if (!size) return std::unexpected(size.error());

  Secret<32> seed;
  std::size_t seed_size = 0;
  const char* const begin = reinterpret_cast<const char*>(text.data());
  const char* end = nullptr;
  const int decoded = sodium_base642bin(seed.data(), 32, begin, *size, nullptr, &seed_size, &end,
                                        sodium_base64_VARIANT_ORIGINAL);
  const std::string_view rest =
      decoded == 0 ? std::string_view(end, static_cast<std::size_t>(begin + *size - end)) : "?";
  if (seed_size != 32 || !(rest.empty() || rest == "\n" || rest == "\r\n")) {
    return fail(file.string() + ": not a node key (one line of base64 of 32 bytes)");
  }
  return Identity(seed.bytes());
}

Result<void> Identity::save(const std::filesystem::path& file) const {
  Secret<kSeedText> text;  // ends in NUL, which the line's end takes the place of
  char* const line = reinterpret_cast<char*>(text.data());
  sodium_bin2base64(line, kSeedText, seed_.bytes().data(), 32, sodium_base64_VARIANT_ORIGINAL);
  line[kSeedText - 1] = '\n';
  return write_state_file(file, std::string_view(line, kSeedText), IfExists::kRefuse);
}

Signature Identity::sign(ByteView message) const {
  Signature signature;
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                       signing_secret_.bytes().data());
  return signature;
}

bool verify(const SigningPublicKey& key, ByteView message, const Signature& signature) noexcept {
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.data()) == 0;
}

Result<ExchangePublicKey> exchange_key_of(const SigningPublicKey& key) {
  ExchangePublicKey exchange;
  if (crypto_sign_ed25519_pk_to_curve25519(exchange.data(), key.data()) != 0) {
    return fail("not an Ed25519 public key");
  }
  return exchange;
}

}  // namespace ipop::overlay
