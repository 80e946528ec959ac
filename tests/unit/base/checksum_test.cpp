#include "base/checksum.hpp"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace ipop {
namespace {

// RFC 1071 word for word: 16 bits at a time, carries folded at once.
std::uint16_t slow_checksum(ByteView bytes) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
    sum = (sum & 0xffff) + (sum >> 16);
  }
  return static_cast<std::uint16_t>(~sum);
}

TEST(Checksum, AgreesWithTheExampleOfRfc1071) {
  const std::uint8_t bytes[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
  EXPECT_EQ(internet_checksum(bytes), static_cast<std::uint16_t>(~0xddf2));
}

TEST(Checksum, OfNothingIsAllOnes) {
  EXPECT_EQ(internet_checksum({}), 0xffff);
}

TEST(Checksum, AgreesWithASlowModelAtEveryLengthAndAlignment) {
  std::mt19937 random(1);
  std::vector<std::uint8_t> bytes(2200);
  for (int round = 0; round < 3; ++round) {
    // The last round is all ones: the most carries there can be.
    for (auto& byte : bytes)
      byte = round == 2 ? 0xff : static_cast<std::uint8_t>(random());
    for (std::size_t length = 0; length <= 2100; length += length < 200 ? 1 : 37) {
      for (std::size_t skip = 0; skip < 9; ++skip) {
        const ByteView part = ByteView(bytes).subspan(skip, length);
        ASSERT_EQ(internet_checksum(part), slow_checksum(part)) << length << " at " << skip;
      }
    }
  }
}

TEST(Checksum, DoesNotCareHowEvenPiecesAreCutOrOrdered) {
  std::mt19937 random(2);
  std::vector<std::uint8_t> bytes(1501);
  for (auto& byte : bytes)
    byte = static_cast<std::uint8_t>(random());
  const ByteView whole(bytes);
  for (std::size_t cut = 0; cut < bytes.size(); cut += 2) {
    ChecksumSum sum;
    sum.add(whole.subspan(cut));
    sum.add(whole.first(cut));
    ASSERT_EQ(sum.finish(), slow_checksum(whole)) << cut;
  }
}

TEST(Checksum, CoversThePseudoHeaderOfBothFamilies) {
  const auto expect = [](const char* source, const char* destination, std::uint32_t length,
                         std::vector<std::uint8_t> pseudo_header) {
    ChecksumSum sum;
    sum.add_pseudo_header(*IpAddress::parse(source), *IpAddress::parse(destination), 17, length);
    EXPECT_EQ(sum.finish(), slow_checksum(pseudo_header)) << source;
  };
  expect("192.168.10.10", "10.1.2.3", 0x1234, {192, 168, 10, 10, 10, 1, 2, 3, 0, 17, 0x12, 0x34});
  expect("fd00::1", "2001:db8::2", 0x12345,
         {0xfd, 0,    0,    0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,  //
          0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,  //
          0,    0x01, 0x23, 0x45, 0, 0, 0, 17});
}

}  // namespace
}  // namespace ipop
