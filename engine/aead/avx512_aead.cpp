#include "engine/aead/avx512_aead.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "engine/aead/avx512/aes_gcm.hpp"
#include "engine/aead/avx512/chacha_poly.hpp"
#include "engine/aead/avx512/processor.hpp"
#include "engine/aead/nonce.hpp"

namespace ipop::engine {
namespace {

static_assert(sizeof(avx512::GcmKey) <= AeadKey::kStorage);

// Where the kernel is at least as fast as intel-ipsec-mb (aead_bench, Zen 4): its lanes are
// packets.
bool pays_for_chacha(std::span<const AeadJob> jobs) noexcept {
  constexpr auto kIsShort = [](const AeadJob& job) { return job.length <= 512; };
  return jobs.size() >= 8 || (jobs.size() >= 4 && std::ranges::all_of(jobs, kIsShort));
}

}  // namespace

Avx512Aead::Avx512Aead(std::unique_ptr<AeadEngine> few) : few_(std::move(few)) {
  if (!avx512::processor_has_gcm() || !__builtin_cpu_supports("avx512ifma")) {
    throw std::runtime_error("this processor lacks AVX-512 with VAES, VPCLMULQDQ or IFMA");
  }
}

std::uint8_t Avx512Aead::suites() const noexcept {
  return suite_bit(AeadSuite::kAes256Gcm) | suite_bit(AeadSuite::kChaCha20Poly1305);
}

void Avx512Aead::expand(AeadSuite suite, const Secret<32>& raw, AeadKey& key) const {
  if (suite == AeadSuite::kAes256Gcm) {
    key.suite_ = suite;
    avx512::expand_gcm_key(raw.data(), *reinterpret_cast<avx512::GcmKey*>(key.storage_));
  } else {
    few_->expand(suite, raw, key);
  }
}

// Runs of one suite: nearly always the whole burst.
template <class OfSuite>
void Avx512Aead::for_each_suite(std::span<AeadJob> jobs, OfSuite of_suite) noexcept {
  while (!jobs.empty()) {
    const AeadSuite suite = jobs.front().key->suite_;
    std::size_t count = 1;
    while (count < jobs.size() && jobs[count].key->suite_ == suite)
      ++count;
    of_suite(suite, jobs.first(count));
    jobs = jobs.subspan(count);
  }
}

void Avx512Aead::seal_burst(std::span<AeadJob> jobs) noexcept {
  for_each_suite(jobs, [this](AeadSuite suite, std::span<AeadJob> run) {
    if (suite == AeadSuite::kAes256Gcm) {
      avx512::seal_gcm(run.data(), run.size());
    } else if (!pays_for_chacha(run)) {
      few_->seal_burst(run);
    } else {
      avx512::seal_chacha_poly(run.data(), run.size());
    }
  });
}

void Avx512Aead::open_burst(std::span<AeadJob> jobs) noexcept {
  for_each_suite(jobs, [this](AeadSuite suite, std::span<AeadJob> run) {
    if (suite == AeadSuite::kAes256Gcm) {
      avx512::open_gcm(run.data(), run.size());
    } else if (!pays_for_chacha(run)) {
      few_->open_burst(run);
    } else {
      avx512::open_chacha_poly(run.data(), run.size());
    }
  });
}

}  // namespace ipop::engine
