#include "base/text.hpp"

#include <gtest/gtest.h>

namespace ipop {
namespace {

TEST(Text, ComesBackFromBothForms) {
  for (std::size_t size = 0; size < 40; ++size) {
    std::vector<std::uint8_t> bytes(size);
    for (std::size_t at = 0; at < size; ++at)
      bytes[at] = static_cast<std::uint8_t>(at * 37);
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
    EXPECT_EQ(from_base64(to_base64(bytes)), bytes);
  }
}

TEST(Text, TakesNothingForNoBytes) {
  EXPECT_EQ(from_hex(std::string_view())->size(), 0u);
  EXPECT_EQ(from_base64(std::string_view())->size(), 0u);
}

TEST(Text, RefusesWhatIsNotOfItsForm) {
  for (const char* text : {"0", "0g", "zz", "00 "})
    EXPECT_FALSE(from_hex(text)) << text;
  for (const char* text : {"A", "AA", "AAA", "AA=A", "AA==AA==", "AAAA ", "A*AA"}) {
    EXPECT_FALSE(from_base64(text)) << text;
  }
}

}  // namespace
}  // namespace ipop
