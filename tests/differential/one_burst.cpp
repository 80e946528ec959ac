#include "tests/differential/one_burst.hpp"

#include <algorithm>
#include <cstring>
#include <stdexcept>
#include <string>

#include "base/bytes.hpp"

namespace ipop::engine {
namespace {

constexpr std::uint8_t kFiller = 0xee;

bool is_filler(const std::uint8_t* at, std::size_t size) {
  return std::all_of(at, at + size, [](std::uint8_t byte) { return byte == kFiller; });
}

}  // namespace

OneBurst::OneBurst(AeadEngine& kernels, AeadEngine& library, std::uint64_t seed)
    : kernels_(kernels), library_(library), state_(seed) {
  // Texts are parts of it: to make each anew would take longer than to seal it.
  pool_.resize(1 << 20);
  for (std::size_t i = 0; i < pool_.size(); i += 8)
    store_le<std::uint64_t>(&pool_[i], random());
}

// SplitMix64.
std::uint64_t OneBurst::random() {
  state_ += 0x9e3779b97f4a7c15;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

void OneBurst::change_keys() {
  for (Key& key : keys_) {
    for (std::size_t i = 0; i < key.raw.size(); i += 8)
      store_le<std::uint64_t>(&key.raw[i], random());
    key.suite = random() % 2 == 0 ? AeadSuite::kChaCha20Poly1305 : AeadSuite::kAes256Gcm;
    const Secret<32> raw{std::span<const std::uint8_t, 32>(key.raw)};
    kernels_.expand(key.suite, raw, key.of_kernels);
    library_.expand(key.suite, raw, key.of_library);
    key.of_kernels.salt = key.of_library.salt = static_cast<std::uint32_t>(random());
  }
}

std::uint32_t OneBurst::choose_length(std::uint64_t kind) {
  const std::uint64_t value = random();
  if (kind < 5) return static_cast<std::uint32_t>(value % 160);
  if (kind < 8) return static_cast<std::uint32_t>(value % 600);
  if (kind < 15) return static_cast<std::uint32_t>(value % 1600);
  return static_cast<std::uint32_t>(value % kLongest);
}

void OneBurst::choose() {
  if (packets_ % 128 < kMostJobs) change_keys();
  const std::uint64_t shape = random();
  const std::size_t count = 1 + shape % kMostJobs;
  const bool one_key = (shape >> 8) % 2 == 0;
  const bool one_length = (shape >> 9) % 4 == 0;
  const std::uint64_t kind = (shape >> 16) % 16;
  const std::size_t key = random() % kKeys;
  const std::uint32_t length = choose_length(kind);
  jobs_.clear();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint64_t bits = random();
    Packet packet{};
    packet.key = one_key ? key : bits % kKeys;
    packet.length = one_length ? length : choose_length(kind);
    packet.in_place = (bits >> 8) % 2 == 0;
    if (!packet.in_place && (bits >> 9) % 4 == 0)
      packet.front = static_cast<std::uint32_t>((bits >> 16) % (packet.length + 1) % 200);
    packet.shift = (bits >> 32) % kGuard;
    packet.damaged = (bits >> 40) % 4 == 0;
    // Carries of all its bytes.
    packet.counter = (bits >> 44) % 4 == 0 ? (std::uint64_t{1} << (bits >> 48) % 64) - 1 : random();
    packet.text = &pool_[random() % (pool_.size() - kLongest)];
    jobs_.push_back(packet);
  }
}

void OneBurst::run() {
  choose();
  seal();
  open();
  packets_ += jobs_.size();
}

void OneBurst::seal() {
  std::vector<AeadJob> mine;
  std::vector<AeadJob> theirs;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    const Packet& packet = jobs_[i];
    std::memset(&out_[i * kRoom], kFiller, packet.length + kTagSize + 3 * kGuard);
    std::uint8_t* const text = packet.in_place ? at(out_, i) : at(in_, i);
    std::memcpy(text, packet.text, packet.length);
    std::memcpy(at(fronts_, i), packet.text, packet.front);
    std::memset(text, packet.front != 0 ? kFiller : text[0], packet.front);
    mine.push_back({.key = &keys_[packet.key].of_kernels,
                    .in = text + packet.front,
                    .out = at(out_, i),
                    .length = packet.length,
                    .counter = packet.counter,
                    .front = at(fronts_, i),
                    .front_length = packet.front});
    theirs.push_back({.key = &keys_[packet.key].of_library,
                      .in = packet.text,
                      .out = at(other_, i),
                      .length = packet.length,
                      .counter = packet.counter});
  }
  kernels_.seal_burst(mine);
  library_.seal_burst(theirs);
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    if (!mine[i].ok) fail(jobs_[i], "not sealed");
    check_sealed(i);
  }
}

void OneBurst::check_sealed(std::size_t i) {
  const Packet& packet = jobs_[i];
  const std::size_t size = packet.length + kTagSize;
  if (std::memcmp(at(out_, i), at(other_, i), size) != 0) fail(packet, "sealed otherwise");
  openssl_seal(packet, judge_.data());
  if (std::memcmp(at(out_, i), judge_.data(), size) != 0) fail(packet, "not as OpenSSL");
  if (!is_filler(&out_[i * kRoom], kGuard + packet.shift) ||
      !is_filler(at(out_, i) + size, kGuard)) {
    fail(packet, "sealed beyond its end");
  }
}

void OneBurst::open() {
  std::vector<AeadJob> mine;
  std::vector<AeadJob> theirs;
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    const Packet& packet = jobs_[i];
    const std::size_t size = packet.length + kTagSize;
    std::uint8_t* const sealed = at(in_, i);
    std::memcpy(sealed, at(out_, i), size);
    if (packet.damaged) {
      // As often in the tag as in the text.
      const std::uint64_t bits = random();
      const std::size_t bit = bits % 2 == 0 ? (bits >> 8) % (8 * size)
                                            : 8 * packet.length + (bits >> 8) % (8 * kTagSize);
      sealed[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
      ++damaged_;
    }
    std::memcpy(at(other_, i), sealed, size);
    std::memset(&out_[i * kRoom], kFiller, packet.length + kTagSize + 3 * kGuard);
    if (packet.in_place) std::memcpy(at(out_, i), sealed, size);
    mine.push_back({.key = &keys_[packet.key].of_kernels,
                    .in = packet.in_place ? at(out_, i) : sealed,
                    .out = at(out_, i),
                    .length = packet.length,
                    .counter = packet.counter,
                    .ok = packet.damaged});
    theirs.push_back({.key = &keys_[packet.key].of_library,
                      .in = at(other_, i),
                      .out = at(other_, i),
                      .length = packet.length,
                      .counter = packet.counter});
  }
  kernels_.open_burst(mine);
  library_.open_burst(theirs);
  for (std::size_t i = 0; i < jobs_.size(); ++i) {
    const Packet& packet = jobs_[i];
    if (mine[i].ok == packet.damaged) fail(packet, "judged wrongly");
    if (theirs[i].ok == packet.damaged) fail(packet, "judged wrongly by the library");
    if (openssl_open(packet, at(in_, i), judge_.data()) == packet.damaged)
      fail(packet, "judged wrongly by OpenSSL");
    check_opened(i);
  }
}

void OneBurst::check_opened(std::size_t i) {
  const Packet& packet = jobs_[i];
  if (!packet.damaged && std::memcmp(at(out_, i), packet.text, packet.length) != 0)
    fail(packet, "opened wrongly");
  const std::uint8_t* const behind = at(out_, i) + packet.length;
  const bool tag_stays = std::memcmp(behind, at(in_, i) + packet.length, kTagSize) == 0;
  if (!is_filler(&out_[i * kRoom], kGuard + packet.shift) ||
      !(packet.in_place ? tag_stays : is_filler(behind, kTagSize)) ||
      !is_filler(behind + kTagSize, kGuard)) {
    fail(packet, "opened beyond its end");
  }
}

void OneBurst::openssl_begin(const Packet& packet, int encrypt) {
  const Key& key = keys_[packet.key];
  std::array<std::uint8_t, 12> nonce{};
  std::memcpy(nonce.data(), &key.of_kernels.salt, 4);
  store_le<std::uint64_t>(&nonce[4], packet.counter);
  const EVP_CIPHER* const cipher =
      key.suite == AeadSuite::kAes256Gcm ? EVP_aes_256_gcm() : EVP_chacha20_poly1305();
  if (EVP_CipherInit_ex(openssl_.get(), cipher, nullptr, key.raw.data(), nonce.data(), encrypt) !=
      1) {
    fail(packet, "OpenSSL does not begin");
  }
}

void OneBurst::openssl_seal(const Packet& packet, std::uint8_t* out) {
  openssl_begin(packet, 1);
  int written = 0;
  if (EVP_CipherUpdate(openssl_.get(), out, &written, packet.text,
                       static_cast<int>(packet.length)) != 1 ||
      EVP_CipherFinal_ex(openssl_.get(), out + packet.length, &written) != 1 ||
      EVP_CIPHER_CTX_ctrl(openssl_.get(), EVP_CTRL_AEAD_GET_TAG, kTagSize, out + packet.length) !=
          1) {
    fail(packet, "OpenSSL does not seal");
  }
}

bool OneBurst::openssl_open(const Packet& packet, const std::uint8_t* in, std::uint8_t* out) {
  openssl_begin(packet, 0);
  int written = 0;
  std::array<std::uint8_t, kTagSize> tag;
  std::memcpy(tag.data(), in + packet.length, kTagSize);
  return EVP_CipherUpdate(openssl_.get(), out, &written, in, static_cast<int>(packet.length)) ==
             1 &&
         EVP_CIPHER_CTX_ctrl(openssl_.get(), EVP_CTRL_AEAD_SET_TAG, kTagSize, tag.data()) == 1 &&
         EVP_CipherFinal_ex(openssl_.get(), out + packet.length, &written) == 1;
}

void OneBurst::fail(const Packet& packet, const char* what) const {
  throw std::runtime_error(
      std::string(kernels_.name()) + ", " + std::string(name(keys_[packet.key].suite)) + ", " +
      std::to_string(packet.length) + " bytes, front " + std::to_string(packet.front) +
      (packet.in_place ? ", in place" : "") + ", in a burst of " + std::to_string(jobs_.size()) +
      " behind " + std::to_string(packets_) + " packets: " + what);
}

}  // namespace ipop::engine
