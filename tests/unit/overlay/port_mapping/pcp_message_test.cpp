#include "overlay/port_mapping/pcp_message.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace ipop::overlay::pcp {
namespace {

using Bytes = std::vector<std::uint8_t>;

const MapRequest kRequest{.client = *IpAddress::parse("192.168.1.5"),
                          .nonce = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12},
                          .inner_port = 4545,
                          .outer_port = 61000,
                          .life_s = 7200};

// By the figures of RFC 6887 §7.1 and §11.1.
TEST(PcpMessage, AsksAsTheRfcDrawsIt) {
  const auto asked = encode_map_request(kRequest);
  const Bytes wanted{2,  1, 0, 0, 0,    0,    0x1c, 0x20,                                     //
                     0,  0, 0, 0, 0,    0,    0,    0,    0, 0,  0xff, 0xff, 192, 168, 1, 5,  //
                     1,  2, 3, 4, 5,    6,    7,    8,    9, 10, 11,   12,                    //
                     17, 0, 0, 0, 0x11, 0xc1, 0xee, 0x48,                                     //
                     0,  0, 0, 0, 0,    0,    0,    0,    0, 0,  0xff, 0xff, 0,   0,   0, 0};
  EXPECT_EQ(Bytes(asked.begin(), asked.end()), wanted);
}

// As a router would: the request, marked, with what it grants.
Bytes granted() {
  const auto asked = encode_map_request(kRequest);
  Bytes answer(asked.begin(), asked.end());
  answer[1] = 0x81;
  std::fill(answer.begin() + 8, answer.begin() + 24, std::uint8_t{0});
  store_be(&answer[4], std::uint32_t{3600});
  store_be(&answer[8], std::uint32_t{99});
  store_be(&answer[42], std::uint16_t{61001});
  const IpAddress outside = *IpAddress::parse("9.0.0.2");
  std::copy(outside.bytes().begin(), outside.bytes().end(), answer.begin() + 44);
  return answer;
}

TEST(PcpMessage, ReadsAMapping) {
  const auto answer = parse_map_answer(granted(), kRequest);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, Code::kSuccess);
  EXPECT_EQ(answer->epoch_s, 99u);
  EXPECT_EQ(answer->life_s, 3600u);
  EXPECT_EQ(answer->outside.to_string(), "9.0.0.2:61001");
}

TEST(PcpMessage, ReadsRefusalsWhetherOrNotTheyRepeatTheRequest) {
  Bytes refused = granted();
  refused[3] = 2;
  EXPECT_EQ(parse_map_answer(refused, kRequest)->code, Code::kNotAuthorized);
  refused.resize(24);
  EXPECT_EQ(parse_map_answer(refused, kRequest)->code, Code::kNotAuthorized);
}

TEST(PcpMessage, KnowsARouterThatSpeaksNatPmpAlone) {
  const auto answer = parse_map_answer(Bytes{0, 129, 0, 1, 0, 0, 0, 7}, kRequest);
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->code, Code::kUnsupportedVersion);
}

TEST(PcpMessage, RefusesWhatIsCutOrAnswersSomethingElse) {
  const Bytes whole = granted();
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(parse_map_answer(ByteView(whole).first(size), kRequest)) << size;
  // Opcode, nonce, protocol, inner port.
  for (const std::size_t at : {1u, 24u, 35u, 36u, 40u, 41u}) {
    Bytes other = whole;
    other[at] ^= 1;
    EXPECT_FALSE(parse_map_answer(other, kRequest)) << at;
  }
  Bytes question = whole;
  question[1] = 1;
  EXPECT_FALSE(parse_map_answer(question, kRequest));
}

}  // namespace
}  // namespace ipop::overlay::pcp
