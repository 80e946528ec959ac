#include "engine/aead/aead.hpp"

#include <sodium.h>

#include <array>
#include <stdexcept>
#include <string>

#include "base/log.hpp"
#include "engine/aead/differential.hpp"
#include "engine/aead/known_answers.hpp"
#include "engine/aead/sodium_aead.hpp"
#ifdef IPOP_HAVE_AVX512_AEAD
#include "engine/aead/avx512_aead.hpp"
#endif
#ifdef IPOP_HAVE_IPSEC_MB
#include "engine/aead/ipsec_mb_aead.hpp"
#endif

namespace ipop::engine {
namespace {

struct Choice {
  std::string_view name;
  std::unique_ptr<AeadEngine> (*make)();
};

std::unique_ptr<AeadEngine> make_ipsec_mb() {
#ifdef IPOP_HAVE_IPSEC_MB
  return std::make_unique<IpsecMbAead>();
#else
  throw std::runtime_error("this build does not have it");
#endif
}

std::unique_ptr<AeadEngine> make_sodium() {
  return std::make_unique<SodiumAead>();
}

// Beside a library, which takes short bursts, and after it agreed with it.
std::unique_ptr<AeadEngine> make_avx512() {
#ifdef IPOP_HAVE_AVX512_AEAD
  const auto make_library = [] {
    try {
      return make_ipsec_mb();
    } catch (const std::runtime_error&) {
      return make_sodium();
    }
  };
  auto engine = std::make_unique<Avx512Aead>(make_library());
  check_same_results(*engine, *make_library());
  return engine;
#else
  throw std::runtime_error("this build does not have it");
#endif
}

// Best first.
constexpr std::array kChoices{Choice{"avx512", make_avx512}, Choice{"ipsec-mb", make_ipsec_mb},
                              Choice{"libsodium", make_sodium}};

}  // namespace

AeadKey::~AeadKey() {
  sodium_memzero(storage_, sizeof storage_);
}

std::unique_ptr<AeadEngine> make_aead_engine(const char* forced) {
  const std::string_view wanted = forced == nullptr ? "" : forced;
  std::string reasons;
  for (const Choice& choice : kChoices) {
    if (!wanted.empty() && wanted != choice.name) continue;
    try {
      auto engine = choice.make();
      check_known_answers(*engine);
      return engine;
    } catch (const std::runtime_error& error) {
      const std::string reason = std::string(choice.name) + ": " + error.what();
      log::debug("AEAD engine not used: {}", reason);
      reasons += (reasons.empty() ? "" : "; ") + reason;
    }
  }
  if (reasons.empty()) {
    throw std::runtime_error("\"" + std::string(wanted) +
                             "\" is not an AEAD engine: known are avx512, ipsec-mb and libsodium");
  }
  throw std::runtime_error("no AEAD engine to use on this machine: " + reasons);
}

}  // namespace ipop::engine
