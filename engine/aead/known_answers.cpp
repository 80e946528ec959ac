#include "engine/aead/known_answers.hpp"

#include <array>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/text.hpp"

namespace ipop::engine {
namespace {

using Buffer = std::vector<std::uint8_t>;

constexpr std::string_view kZeroKey =
    "0000000000000000000000000000000000000000000000000000000000000000";
// RFC 8439 §2.8.2.
constexpr std::string_view kRfcKey =
    "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f";
// Test cases 15 and 16 of "The Galois/Counter Mode of Operation" (McGrew, Viega), which NIST
// publishes beside SP 800-38D.
constexpr std::string_view kGcmKey =
    "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";

constexpr std::string_view kRfcText =
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, "
    "sunscreen would be it.";

struct KnownAnswer {
  std::string_view what;
  AeadSuite suite;
  std::string_view key;  // hexadecimal
  std::uint64_t counter;
  std::string_view text;  // empty: `length` bytes, of which the one at i is 131 i + 7 modulo 256
  std::size_t length;
  std::string_view sealed;  // hexadecimal; ciphertext and tag, or of long ones the tag alone
};

// The tags and ciphertexts of the two GCM cases with the zero key are published as they stand
// (test cases 13 and 14). The others use published keys and texts, but our form of the nonce and no
// additional data; their results were computed with OpenSSL 3.0 (EVP). The long ones run through
// the wide code of an engine, and through its joints.
constexpr std::array kAnswers{
    KnownAnswer{"ChaCha20-Poly1305, empty", AeadSuite::kChaCha20Poly1305, kZeroKey, 0, "", 0,
                "4eb972c9a8fb3a1b382bb4d36f5ffad1"},
    KnownAnswer{"ChaCha20-Poly1305, 1 byte", AeadSuite::kChaCha20Poly1305, kRfcKey, 1, "", 1,
                "e46156337ebf2a4918e64f410c7c80d4d4"},
    KnownAnswer{"ChaCha20-Poly1305, text of RFC 8439", AeadSuite::kChaCha20Poly1305, kRfcKey,
                0x4746454443424140, kRfcText, kRfcText.size(),
                "a479cb54628946d6f4042a8e384ef4bd2fbc7330b8be55eb2d8dc18aaa51d66a"
                "8ec1f8d3619a258db0ac56956015b7b4937e9b8e6aa957b3dc0214d803d77660"
                "aabc913092971da8f207171ce7843608162e2e759d8efc25d8d0936990af63c8"
                "20ba87e8a955b5c8274ef7d10f6fafd04647fa6775577a1a250dcc2df37e95e4"
                "6c4a"},
    KnownAnswer{"ChaCha20-Poly1305, 1400 bytes", AeadSuite::kChaCha20Poly1305, kRfcKey, 1400, "",
                1400, "3f146c3b94e275ebc284199606ed7820"},
    KnownAnswer{"ChaCha20-Poly1305, 2048 bytes", AeadSuite::kChaCha20Poly1305, kRfcKey, 2048, "",
                2048, "1ff0fea234244b98c96f18e302cbc5ba"},
    KnownAnswer{"AES-256-GCM, empty (test case 13)", AeadSuite::kAes256Gcm, kZeroKey, 0, "", 0,
                "530f8afbc74536b9a963b4f1c4cb738b"},
    KnownAnswer{"AES-256-GCM, one block (test case 14)", AeadSuite::kAes256Gcm, kZeroKey, 0,
                std::string_view("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16), 16,
                "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919"},
    KnownAnswer{"AES-256-GCM, 1 byte", AeadSuite::kAes256Gcm, kGcmKey, 1, "", 1,
                "00b4dcf88c327e835428e31b113c349f56"},
    KnownAnswer{"AES-256-GCM, text of RFC 8439", AeadSuite::kAes256Gcm, kRfcKey, 0x4746454443424140,
                kRfcText, kRfcText.size(),
                "6c1fbc5c486b218edeb37c3a588f299d4a63243bd312e6afecdf0dee5d4fb732"
                "829169f9864593fc3a4e6f4b3a2c339c4be0f223fe57d16786910b6b85e1cd50"
                "59ed29e7e46fa26dfefe8c27a5df2392baac274c42168d49e102b32156baef1b"
                "28977998aeb9700bbf10d84e8db9b052f9e28ef45daa263f535953f1b61eb0d8"
                "3f3a"},
    KnownAnswer{"AES-256-GCM, 1400 bytes", AeadSuite::kAes256Gcm, kGcmKey, 1400, "", 1400,
                "fe57dbe943764bfbe7f5333402b37378"},
    KnownAnswer{"AES-256-GCM, 2048 bytes", AeadSuite::kAes256Gcm, kGcmKey, 2048, "", 2048,
                "1a5a75454482d61137ef53d63f0d743c"},
};

Buffer from_hex_constant(std::string_view text) {
  auto bytes = from_hex(text);
  if (!bytes) throw std::runtime_error(bytes.error().message);
  return *std::move(bytes);
}

// One vector with its buffers and its expanded key.
struct Trial {
  Trial(const AeadEngine& engine, const KnownAnswer& from)
      : answer(from), expected(from_hex_constant(from.sealed)), sealed(from.length + kTagSize) {
    for (std::size_t i = 0; i < answer.length; ++i) {
      plain.push_back(
          static_cast<std::uint8_t>(answer.text.empty() ? 131 * i + 7 : answer.text[i]));
    }
    engine.expand(answer.suite, Secret<32>(ByteView(from_hex_constant(answer.key)).first<32>()),
                  key);
  }

  [[nodiscard]] AeadJob job(const Buffer& in, Buffer& out) const {
    return {&key, in.data(), out.data(), static_cast<std::uint32_t>(answer.length), answer.counter};
  }
  [[noreturn]] void fail(std::string_view how) const {
    throw std::runtime_error("known answer \"" + std::string(answer.what) +
                             "\": " + std::string(how));
  }
  // Long vectors name only the tag: it authenticates the ciphertext, whose other witness is that
  // it opens to the plaintext.
  void expect_sealed(const Buffer& result) const {
    if (std::memcmp(result.data() + result.size() - expected.size(), expected.data(),
                    expected.size()) != 0) {
      fail("sealed wrongly");
    }
  }

  const KnownAnswer& answer;
  Buffer plain;
  Buffer expected;
  Buffer sealed;
  AeadKey key;
};

void check_alone(AeadEngine& engine, Trial& trial) {
  Buffer opened(trial.answer.length + 1);
  AeadJob job = trial.job(trial.plain, trial.sealed);
  engine.seal_burst({&job, 1});
  if (!job.ok) trial.fail("not sealed");
  trial.expect_sealed(trial.sealed);

  Buffer in_place = trial.plain;
  in_place.resize(trial.sealed.size());
  job = trial.job(in_place, in_place);
  engine.seal_burst({&job, 1});
  if (in_place != trial.sealed) trial.fail("sealed otherwise in place");

  job = trial.job(trial.sealed, opened);
  engine.open_burst({&job, 1});
  opened.resize(trial.answer.length);
  if (!job.ok) trial.fail("refused");
  if (opened != trial.plain) trial.fail("opened wrongly");

  for (const std::size_t at : {std::size_t{0}, trial.sealed.size() - 1}) {
    in_place = trial.sealed;
    in_place[at] ^= 0x40;
    job = trial.job(in_place, in_place);
    job.ok = true;
    engine.open_burst({&job, 1});
    if (job.ok) trial.fail("opened although damaged");
  }
}

// All vectors as one burst, the one at `damaged` with a wrong last bit.
void check_together(AeadEngine& engine, const std::vector<std::unique_ptr<Trial>>& trials,
                    std::size_t damaged) {
  std::vector<Buffer> buffers;
  std::vector<AeadJob> jobs;
  for (const auto& trial : trials) {
    buffers.push_back(trial->plain);
    buffers.back().resize(trial->sealed.size());
    jobs.push_back(trial->job(buffers.back(), buffers.back()));
  }
  engine.seal_burst(jobs);
  for (std::size_t i = 0; i < trials.size(); ++i)
    trials[i]->expect_sealed(buffers[i]);
  buffers[damaged].back() ^= 1;
  engine.open_burst(jobs);
  for (std::size_t i = 0; i < trials.size(); ++i) {
    if (jobs[i].ok == (i == damaged)) trials[i]->fail("judged wrongly in a burst");
    buffers[i].resize(trials[i]->plain.size());
    if (i != damaged && buffers[i] != trials[i]->plain) trials[i]->fail("mixed up in a burst");
  }
}

}  // namespace

void check_known_answers(AeadEngine& engine) {
  std::vector<std::unique_ptr<Trial>> trials;
  for (const KnownAnswer& answer : kAnswers) {
    const unsigned bit = 1u << static_cast<unsigned>(answer.suite);
    if ((engine.suites() & bit) == 0) continue;
    trials.push_back(std::make_unique<Trial>(engine, answer));
    check_alone(engine, *trials.back());
  }
  if (trials.empty()) throw std::runtime_error("it has no suite on this processor");
  for (std::size_t i = 0; i < trials.size(); ++i)
    check_together(engine, trials, i);
}

}  // namespace ipop::engine
