// Reads the vectors of tests/vectors/aead, in the two forms they are published in.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ipop::engine {

struct PublishedVector {
  std::string name;  // where it stands: "gcmDecrypt256 PTlen 128 Count 3", "tcId 75"
  std::vector<std::uint8_t> key;
  std::vector<std::uint8_t> nonce;
  std::vector<std::uint8_t> plain;   // empty where the ciphertext must be refused
  std::vector<std::uint8_t> sealed;  // with its tag
  bool valid = true;
};

// Both throw std::runtime_error for a file that is not there or not of that form.
[[nodiscard]] std::vector<PublishedVector> read_cavp(const std::string& path);
[[nodiscard]] std::vector<PublishedVector> read_wycheproof(const std::string& path);

}  // namespace ipop::engine
