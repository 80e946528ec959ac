#include "kni/checksum.hpp"

#include <gtest/gtest.h>

#include "frames.hpp"

namespace ipop::kni {
namespace {

using testing::Bytes;
using testing::hex;
using testing::slow_checksum;

TEST(Checksum, CompletesAPartialOne) {
  // Fourteen bytes of Ethernet, then a message whose checksum field holds the pseudo-header's sum.
  Bytes frame = hex("000000000000 000000000000 0800  1234 5678 00ff 9abc de");
  ASSERT_TRUE(complete_checksum(frame, 14, 4));
  EXPECT_EQ(load_be<std::uint16_t>(&frame[18]), slow_checksum(hex("1234 5678 00ff 9abc de")));
}

TEST(Checksum, WritesAllOnesForAZero) {
  Bytes frame(18);
  frame[14] = frame[15] = 0xff;
  ASSERT_TRUE(complete_checksum(frame, 14, 2));
  EXPECT_EQ(load_be<std::uint16_t>(&frame[16]), 0xffff);
}

TEST(Checksum, RefusesToWriteOutsideTheFrame) {
  const Bytes before(60, 0x5a);
  struct Case {
    std::size_t start, offset;
  };
  for (const auto& [start, offset] : {Case{0, 0}, Case{13, 4}, Case{60, 0}, Case{65535, 0},
                                      Case{59, 0}, Case{14, 45}, Case{14, 65535}, Case{58, 1}}) {
    Bytes frame = before;
    EXPECT_FALSE(complete_checksum(frame, start, offset)) << start << "+" << offset;
    EXPECT_EQ(frame, before);
  }
  Bytes frame = before;
  EXPECT_TRUE(complete_checksum(frame, 58, 0));
  EXPECT_TRUE(complete_checksum(frame, 14, 44));
}

}  // namespace
}  // namespace ipop::kni
