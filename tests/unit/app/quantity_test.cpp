#include "app/cli/quantity.hpp"

#include <gtest/gtest.h>

namespace ipop::app {
namespace {

TEST(Quantity, WritesBytesInTheUnitThatFits) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(1023), "1023 B");
  EXPECT_EQ(bytes_text(1024), "1.0 KiB");
  EXPECT_EQ(bytes_text(1536), "1.5 KiB");
  EXPECT_EQ(bytes_text(102'400), "100 KiB");
  EXPECT_EQ(bytes_text(1'048'575), "1.0 MiB");
  EXPECT_EQ(bytes_text(5'000'000'000), "4.7 GiB");
  EXPECT_EQ(bytes_text(0xffff'ffff'ffff'ffff), "16.0 EiB");
}

TEST(Quantity, WritesDurationsInTwoUnits) {
  EXPECT_EQ(duration_text(0), "0 s");
  EXPECT_EQ(duration_text(59), "59 s");
  EXPECT_EQ(duration_text(60), "1 min 0 s");
  EXPECT_EQ(duration_text(11'520), "3 h 12 min");
  EXPECT_EQ(duration_text(90'000), "1 d 1 h");
}

TEST(Quantity, WritesMillisecondsWithThreeDigits) {
  EXPECT_EQ(milliseconds_text(0), "0.00 ms");
  EXPECT_EQ(milliseconds_text(0.416), "0.42 ms");
  EXPECT_EQ(milliseconds_text(9.999), "10.0 ms");
  EXPECT_EQ(milliseconds_text(12.34), "12.3 ms");
  EXPECT_EQ(milliseconds_text(1234.5), "1234 ms");
}

TEST(Quantity, CountsInGroupsOfThree) {
  EXPECT_EQ(count_text(0, "node", "nodes"), "0 nodes");
  EXPECT_EQ(count_text(1, "node", "nodes"), "1 node");
  EXPECT_EQ(count_text(999, "node", "nodes"), "999 nodes");
  EXPECT_EQ(count_text(1000, "node", "nodes"), "1,000 nodes");
  EXPECT_EQ(count_text(12'345'678, "node", "nodes"), "12,345,678 nodes");
}

TEST(Quantity, LetsNothingReachTheTerminalThatMovesItsCursor) {
  EXPECT_EQ(printable("alice"), "alice");
  EXPECT_EQ(printable("\x1b[2Jbob\n\x7f"), "?[2Jbob??");
  EXPECT_EQ(printable("a\xc2\x9b"
                      "2J"),
            "a?2J");
  EXPECT_EQ(printable("r\xc3\xa9seau"), "r\xc3\xa9seau");
}

}  // namespace
}  // namespace ipop::app
