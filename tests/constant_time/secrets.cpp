// Seals and opens with keys and texts that MemorySanitizer takes for not initialised: it ends the
// program at the first branch or address that depends on one. tests/constant_time/check.py compiles
// it together with the kernels. With an argument it makes such a branch itself, which must be
// heard.
#include <sanitizer/msan_interface.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "engine/aead/chacha256/chacha_poly.hpp"
#include "engine/aead/gcm/gcm_key.hpp"
#include "engine/aead/gcm/processor.hpp"
#include "engine/aead/vaes256/aes_gcm.hpp"

namespace ipop::engine {

// Of its source, which is not compiled for this.
AeadKey::~AeadKey() = default;

namespace {

constexpr std::size_t kMostJobs = 7;
constexpr std::size_t kLongest = 4500;
constexpr std::size_t kFront = 40;

std::uint8_t g_text[kMostJobs][kFront + kLongest + kTagSize];
std::uint8_t g_sealed[kMostJobs][kLongest + kTagSize];
std::uint8_t g_front[kFront];

using Burst = void (*)(AeadJob* jobs, std::size_t count) noexcept;

void fail(const char* what, std::size_t length) {
  std::printf("%s, %zu bytes\n", what, length);
  std::exit(EXIT_FAILURE);
}

// Of one key or of two, in place or not; sealed with a front if it is long enough.
template <Burst kSeal, Burst kOpen>
void run(const AeadKey (&keys)[2], std::size_t length, std::size_t count, bool in_place) {
  AeadJob jobs[kMostJobs];
  const std::size_t front = !in_place && length >= kFront && count % 2 == 0 ? kFront : 0;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint8_t* const in = in_place ? g_sealed[i] : g_text[i];
    __msan_poison(in, length);
    jobs[i] = {.key = &keys[count == 7 ? i % 2 : 0],
               .in = in + front,
               .out = g_sealed[i],
               .length = static_cast<std::uint32_t>(length),
               .counter = i,
               .front = g_front,
               .front_length = static_cast<std::uint32_t>(front)};
  }
  __msan_poison(g_front, sizeof g_front);
  kSeal(jobs, count);
  for (std::size_t i = 0; i < count; ++i) {
    if (length != 0 && __msan_test_shadow(g_sealed[i], length + kTagSize) != 0)
      fail("the mark was lost on the way", length);
    jobs[i].in = g_sealed[i];
    jobs[i].out = in_place ? g_sealed[i] : g_text[i];
    jobs[i].front_length = 0;
  }
  kOpen(jobs, count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!jobs[i].ok) fail("refused", length);
  }
}

int main_of(bool leak) {
  if (!gcm::processor_has_vaes256_gcm() || !__builtin_cpu_supports("bmi2")) {
    std::puts("this processor cannot run the kernels of 256 bits");
    return EXIT_SUCCESS;
  }
  static AeadKey keys[2];
  static AeadKey raw_keys[2];
  for (AeadKey& key : keys) {
    const std::uint8_t raw[32] = {1, 2, 3};
    auto& expanded = *reinterpret_cast<gcm::GcmKey*>(key.storage());
    gcm::expand_gcm_key(raw, expanded);
    __msan_poison(&expanded, sizeof expanded);
  }
  for (AeadKey& key : raw_keys)
    __msan_poison(key.storage(), 32);
  for (std::size_t length = 0; length <= kLongest; length += length < 600 ? 1 : 61) {
    for (const std::size_t count : {1, 4, 7}) {
      for (const bool in_place : {false, true}) {
        run<vaes256::seal_gcm, vaes256::open_gcm>(keys, length, count, in_place);
        run<chacha256::seal_chacha_poly, chacha256::open_chacha_poly>(raw_keys, length, count,
                                                                      in_place);
      }
    }
  }
  if (leak && g_sealed[0][0] > 100) std::puts("a secret decided to print this");
  std::puts("nothing depends on a secret");
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace ipop::engine

int main(int argc, char**) {
  return ipop::engine::main_of(argc > 1);
}
