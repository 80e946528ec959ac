#include "overlay/port_mapping/nat_pmp_message.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace ipop::overlay::nat_pmp {
namespace {

using namespace std::chrono_literals;
using Bytes = std::vector<std::uint8_t>;

TEST(NatPmpMessage, AsksAsTheRfcDrawsIt) {
  const auto address = encode_address_request();
  EXPECT_EQ(Bytes(address.begin(), address.end()), (Bytes{0, 0}));
  const auto map = encode_map_request(4545, 61000, 7200);
  EXPECT_EQ(Bytes(map.begin(), map.end()),
            (Bytes{0, 1, 0, 0, 0x11, 0xc1, 0xee, 0x48, 0, 0, 0x1c, 0x20}));
}

TEST(NatPmpMessage, ReadsTheOutsideAddress) {
  const auto answer = parse_address_answer(Bytes{0, 128, 0, 0, 0, 0, 1, 0, 9, 0, 0, 2});
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->epoch_s, 256u);
  EXPECT_EQ(answer->outside.to_string(), "9.0.0.2");
}

TEST(NatPmpMessage, ReadsAMapping) {
  const Bytes bytes{0, 129, 0, 0, 0, 0, 0, 7, 0x11, 0xc1, 0xee, 0x48, 0, 0, 0x1c, 0x20};
  const auto answer = parse_map_answer(bytes, 4545);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->outer_port, 61000);
  EXPECT_EQ(answer->life_s, 7200u);
  EXPECT_FALSE(parse_map_answer(bytes, 4546)) << "an answer to somebody else's question";
  EXPECT_FALSE(parse_address_answer(bytes));
}

TEST(NatPmpMessage, ReadsRefusalsHoweverShort) {
  const auto answer = parse_map_answer(Bytes{0, 129, 0, 2, 0, 0, 0, 7}, 4545);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, Code::kNotAuthorized);
}

TEST(NatPmpMessage, RefusesWhatIsCutOrOfAnotherVersion) {
  const Bytes whole{0, 129, 0, 0, 0, 0, 0, 7, 0x11, 0xc1, 0xee, 0x48, 0, 0, 0x1c, 0x20};
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_map_answer(ByteView(whole).first(size), 4545)) << size;
  Bytes pcp = whole;
  pcp[0] = 2;
  EXPECT_FALSE(parse_map_answer(pcp, 4545));
  Bytes question = whole;
  question[1] = 1;
  EXPECT_FALSE(parse_map_answer(question, 4545));
}

TEST(NatPmpEpoch, NoticesAClockThatRanBackwards) {
  Epoch epoch;
  const Instant start{1h};
  EXPECT_FALSE(epoch.restarted(1000, start));
  EXPECT_FALSE(epoch.restarted(1060, start + 60s));
  EXPECT_FALSE(epoch.restarted(1060 + 53, start + 120s)) << "an eighth too slow";
  EXPECT_TRUE(epoch.restarted(5, start + 180s));
  EXPECT_FALSE(epoch.restarted(65, start + 240s));
}

TEST(NatPmpEpoch, IsNotFooledByHugeNumbers) {
  Epoch epoch;
  EXPECT_FALSE(epoch.restarted(0xffffffff, Instant{1h}));
  EXPECT_TRUE(epoch.restarted(0, Instant{1h} + 1s));
}

}  // namespace
}  // namespace ipop::overlay::nat_pmp
