// Replaces the program's operator new, to see that bursts are sealed and opened without it.
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/aead/aead.hpp"

namespace {
std::atomic<std::size_t> g_allocations{0};
}  // namespace

// Not inlined: gcc would else take malloc and delete, seen side by side, for a mismatch.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++g_allocations;
  if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

namespace ipop::engine {
namespace {

TEST(AeadEngine, SealsAndOpensBurstsWithoutAllocating) {
  for (const char* name : {"avx512", "vaes256", "avx2", "ipsec-mb", "libsodium"}) {
    std::unique_ptr<AeadEngine> engine;
    try {
      engine = make_aead_engine(name);
    } catch (const std::runtime_error&) {
      continue;  // not on this machine; the other one is
    }
    std::array<AeadKey, 2> keys;
    for (const AeadSuite suite : {AeadSuite::kChaCha20Poly1305, AeadSuite::kAes256Gcm}) {
      const auto bit = static_cast<unsigned>(suite);
      const bool has = (engine->suites() >> bit & 1) != 0;
      engine->expand(has ? suite : AeadSuite::kChaCha20Poly1305, Secret<32>::random(), keys[bit]);
    }
    constexpr std::size_t kLength = 700;
    std::vector<std::uint8_t> bytes(80 * (kLength + kTagSize));
    std::vector<AeadJob> jobs;
    for (std::size_t i = 0; i < 80; ++i) {
      std::uint8_t* const at = &bytes[i * (kLength + kTagSize)];
      jobs.push_back({&keys[i % 2], at, at, kLength, i});
    }
    const std::size_t before = g_allocations;
    ASSERT_GT(before, 0u);
    engine->seal_burst(jobs);
    engine->open_burst(jobs);
    EXPECT_EQ(g_allocations, before) << name;
    for (const AeadJob& job : jobs)
      ASSERT_TRUE(job.ok) << name;
  }
}

}  // namespace
}  // namespace ipop::engine
