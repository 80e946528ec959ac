#include "base/bytes.hpp"

#include <gtest/gtest.h>

#include <array>

namespace ipop {
namespace {

TEST(ByteReader, ReadsBothByteOrders) {
  const std::array<std::uint8_t, 6> bytes{1, 2, 3, 4, 5, 6};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.le<std::uint16_t>(), 0x0201);
  EXPECT_EQ(reader.be<std::uint32_t>(), 0x03040506u);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(ByteReader, StaysFailedAfterAReadPastTheEnd) {
  const std::array<std::uint8_t, 3> bytes{1, 2, 3};
  ByteReader reader(bytes);
  EXPECT_EQ(reader.le<std::uint32_t>(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0);
  EXPECT_FALSE(reader.ok());
}

TEST(ByteWriter, WritesNothingPastItsBuffer) {
  std::array<std::uint8_t, 4> buffer{};
  ByteWriter writer(buffer);
  writer.be<std::uint16_t>(0x0102);
  writer.le<std::uint32_t>(7);
  EXPECT_FALSE(writer.ok());
  EXPECT_EQ(writer.size(), 2u);
  EXPECT_EQ(buffer, (std::array<std::uint8_t, 4>{1, 2, 0, 0}));
}

}  // namespace
}  // namespace ipop
