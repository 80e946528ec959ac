// The integer Poly1305 of the AVX2 kernel by itself, with keys that ChaCha20 would never happen to
// make: sums at the edge of the modulus 2^130 - 5, where carries and the last subtraction decide.
#include "engine/aead/chacha256/poly1305.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <ostream>
#include <string>

#include "base/text.hpp"

namespace ipop::engine::chacha256 {
namespace {

struct Vector {
  const char* what;
  std::string key;   // hexadecimal: r, s
  std::string text;  // whole blocks
  std::string tag;
};
void PrintTo(const Vector& vector, std::ostream* out) {
  *out << vector.what;
}

std::string of(const char* bytes, int count) {
  std::string made;
  for (int i = 0; i < count; ++i)
    made += bytes;
  return made;
}

const std::string kOnes = of("ff", 16);
const std::string kZeros = of("00", 16);
const std::string kOne = "01" + of("00", 15);
const std::string kTwo = "02" + of("00", 15);
const std::string kFarOne = "01" + of("00", 7) + "04" + of("00", 7);
const std::string kFirst = "e33594d7505e43b9" + of("00", 8);
const std::string kSecond = "3394d7505e4379cd01" + of("00", 7);

// RFC 8439 §A.3, its cases 1 and 7 to 11, and the text of ones by which r is multiplied whole.
const Vector kVectors[] = {
    {"all zero", kZeros + kZeros, kZeros + kZeros + kZeros + kZeros, kZeros},
    {"2^130 - 5 is left as 3", kTwo + kZeros, kOnes, "03" + of("00", 15)},
    {"s carries out of 2^128", kTwo + kOnes, kTwo, "03" + of("00", 15)},
    {"a sum of ones", kOne + kZeros, kOnes + "f0" + of("ff", 15) + "11" + of("00", 15),
     "05" + of("00", 15)},
    {"a sum that is the modulus", kOne + kZeros, kOnes + "fb" + of("fe", 15) + of("01", 16),
     kZeros},
    {"just below the modulus", kTwo + kZeros, "fd" + of("ff", 15), "fa" + of("ff", 15)},
    {"a carry into the highest bits", kFarOne + kZeros, kFirst + kSecond + kZeros + kOne,
     "14" + of("00", 7) + "55" + of("00", 7)},
    {"a carry out of them", kFarOne + kZeros, kFirst + kSecond + kZeros, "13" + of("00", 15)},
};

class Poly1305 : public testing::TestWithParam<Vector> {};

TEST_P(Poly1305, MakesThePublishedTag) {
  const auto key = from_hex(GetParam().key).value();
  const auto text = from_hex(GetParam().text).value();
  Message message;
  std::memset(&message, 0, sizeof message);
  std::memcpy(message.key, key.data(), key.size());
  // start() clamps r, and adds the block of lengths: that one is left out here.
  message.start(text.data(), text.size());
  message.end_left = 0;
  while (message.left != 0)
    message.absorb();
  std::uint64_t tag[2];
  message.make_tag(tag);
  std::string made;
  for (const std::uint64_t word : tag) {
    for (int i = 0; i < 8; ++i)
      made += to_hex(std::array{static_cast<std::uint8_t>(word >> (8 * i))});
  }
  EXPECT_EQ(made, GetParam().tag);
}

INSTANTIATE_TEST_SUITE_P(Rfc8439, Poly1305, testing::ValuesIn(kVectors));

}  // namespace
}  // namespace ipop::engine::chacha256
