// Random bursts, sealed and opened by every family of kernels that this processor runs, by
// intel-ipsec-mb or libsodium, and by OpenSSL: all agree on every byte and on what is damaged.
//   aead_differential PACKETS [SEED]
// ./dev differential MILLIONS runs it. Without a seed, each run has one of its own and names it.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <random>
#include <string>

#include "tests/differential/one_burst.hpp"

namespace {

using namespace ipop::engine;

constexpr std::uint64_t kTellEach = 10'000'000;

std::unique_ptr<AeadEngine> make_if_it_runs(const char* name) {
  try {
    return make_aead_engine(name);
  } catch (const std::exception& error) {
    std::printf("without %s: %s\n", name, error.what());
    return nullptr;
  }
}

int run(std::uint64_t packets, std::uint64_t seed) {
  auto library = make_if_it_runs("ipsec-mb");
  if (library == nullptr) library = make_aead_engine("libsodium");
  bool ran = false;
  for (const char* const family : {"avx512", "vaes256", "avx2"}) {
    const auto kernels = make_if_it_runs(family);
    if (kernels == nullptr) continue;
    ran = true;
    OneBurst burst(*kernels, *library, seed);
    for (std::uint64_t told = 0; burst.packets() < packets;) {
      burst.run();
      if (burst.packets() - told < kTellEach && burst.packets() < packets) continue;
      told = burst.packets();
      std::printf(
          "%s: %llu packets as %s and OpenSSL, %llu damaged and refused, seed %llu\n", family,
          static_cast<unsigned long long>(told), std::string(library->name()).c_str(),
          static_cast<unsigned long long>(burst.damaged()), static_cast<unsigned long long>(seed));
      std::fflush(stdout);
    }
  }
  if (!ran) std::puts("no kernel of ours runs on this processor");
  return EXIT_SUCCESS;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: %s PACKETS [SEED]\n", argv[0]);
    return 2;
  }
  try {
    const std::uint64_t seed = argc == 3 ? std::stoull(argv[2]) : std::random_device{}();
    return run(std::stoull(argv[1]), seed);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return EXIT_FAILURE;
  }
}
