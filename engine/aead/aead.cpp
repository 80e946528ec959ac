#include "engine/aead/aead.hpp"

#include <sodium.h>

#include <array>
#include <stdexcept>
#include <string>

#include "base/log.hpp"
#include "engine/aead/differential.hpp"
#include "engine/aead/known_answers.hpp"
#include "engine/aead/sodium_aead.hpp"
#ifdef IPOP_HAVE_AEAD_KERNELS
#include "engine/aead/kernel_aead.hpp"
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

#ifdef IPOP_HAVE_AEAD_KERNELS
std::unique_ptr<AeadEngine> make_library() {
  try {
    return make_ipsec_mb();
  } catch (const std::runtime_error&) {
    return make_sodium();
  }
}

// Beside a library, which takes what they leave, and after they agreed with it.
std::unique_ptr<AeadEngine> make_of(const Kernels& kernels) {
  auto engine = std::make_unique<KernelAead>(kernels, make_library());
  check_same_results(*engine, *make_library());
  return engine;
}
std::unique_ptr<AeadEngine> make_avx512() {
  return make_of(avx512_kernels());
}
std::unique_ptr<AeadEngine> make_vaes256() {
  return make_of(vaes256_kernels());
}
std::unique_ptr<AeadEngine> make_avx2() {
  return make_of(avx2_kernels());
}
#else
std::unique_ptr<AeadEngine> make_avx512() {
  throw std::runtime_error("this build does not have it");
}
constexpr auto make_vaes256 = make_avx512;
constexpr auto make_avx2 = make_avx512;
#endif

// Best first.
constexpr std::array kChoices{Choice{"avx512", make_avx512}, Choice{"vaes256", make_vaes256},
                              Choice{"avx2", make_avx2}, Choice{"ipsec-mb", make_ipsec_mb},
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
                             "\" is not an AEAD engine: known are avx512, vaes256, avx2, ipsec-mb "
                             "and libsodium");
  }
  throw std::runtime_error("no AEAD engine to use on this machine: " + reasons);
}

}  // namespace ipop::engine
