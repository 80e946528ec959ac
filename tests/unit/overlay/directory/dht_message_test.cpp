#include "overlay/directory/dht_message.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace ipop::overlay {
namespace {

using namespace std::string_literals;

bool accepts(const std::string& text) {
  return is_dht_message({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

// MessagePack of small things.
std::string text(std::string_view of) {
  return static_cast<char>(0xa0 + of.size()) + std::string(of);
}
std::string binary(std::size_t size) {
  return "\xc4"s + static_cast<char>(size) + std::string(size, '\x07');
}
std::string array(std::initializer_list<std::string> elements) {
  std::string made(1, static_cast<char>(0x90 + elements.size()));
  for (const std::string& element : elements)
    made += element;
  return made;
}
using Pairs = std::initializer_list<std::pair<std::string, std::string>>;
std::string map(Pairs pairs) {
  std::string made(1, static_cast<char>(0x80 + pairs.size()));
  for (const auto& [key, value] : pairs)
    made += text(key) + value;
  return made;
}
const std::string kOne = "\x01"s;
const std::string kNil = "\xc0"s;

std::string request(const std::string& query, const std::string& arguments) {
  return map({{"a", arguments}, {"q", text(query)}, {"t", kOne}, {"y", text("q")}});
}
std::string reply(const std::string& body) {
  return map({{"r", body}, {"t", kOne}, {"y", text("r")}});
}
std::string reply_with(const std::string& field, const std::string& value) {
  return reply(map({{"id", binary(20)}, {field, value}}));
}

TEST(DhtMessage, AcceptsWhatOpenDhtSends) {
  const std::string value =
      map({{"id", kOne}, {"dat", map({{"body", map({{"type", kOne}, {"data", binary(50)}})}})}});
  const std::string query =
      map({{"s", array({kOne})}, {"w", array({map({{"f", "\x05"}, {"v", binary(0)}})})}});
  const std::string parts = "\x81\x00"s + map({{"o", kOne}, {"d", binary(100)}});
  for (const std::string& message :
       {request("ping", map({{"id", binary(20)}})),
        request("find", map({{"id", binary(20)}, {"target", binary(20)}, {"w", array({kOne})}})),
        request("get", map({{"id", binary(20)}, {"h", binary(20)}, {"q", query}})),
        request("put", map({{"id", binary(20)},
                            {"h", binary(20)},
                            {"values", array({value})},
                            {"c", kOne},
                            {"token", binary(32)}})),
        request("put", map({{"id", binary(20)}, {"values", array({"\xcd\x02\xe2"})}})),
        reply(map({{"id", binary(20)}, {"sa", binary(4)}, {"n4", binary(52)}})),
        reply_with("fileds", map({{"f", array({kOne, kOne})}, {"v", array({kOne, kNil})}})),
        reply_with("re", array({kOne})), reply_with("unknown", array({kNil, map({})})),
        map({{"e", array({kOne, text("sorry")})}, {"t", kOne}, {"y", text("e")}}),
        map({{"n", kOne}, {"y", text("p")}, {"t", kOne}, {"p", parts}})}) {
    EXPECT_TRUE(accepts(message)) << message;
    for (std::size_t size = 0; size < message.size(); ++size) {
      EXPECT_FALSE(accepts(message.substr(0, size)));
    }
    EXPECT_FALSE(accepts(message + kNil));
  }
}

// Each of the first three ends a process that hands it to OpenDHT 2.4.12.
TEST(DhtMessage, RefusesWhatOpenDhtReadsWithoutLooking) {
  EXPECT_FALSE(accepts(request("ping", kOne)));
  EXPECT_FALSE(accepts(reply(kOne)));
  EXPECT_FALSE(accepts(reply("\xcf\x41\x41\x41\x41\x41\x41\x41\x41"s)));
  EXPECT_FALSE(accepts(map({{"u", kOne}, {"t", kOne}, {"y", text("q")}})));
  EXPECT_FALSE(accepts(map({{"e", array({})}, {"t", kOne}, {"y", text("e")}})));
  EXPECT_FALSE(accepts(map({{"e", kOne}, {"t", kOne}, {"y", text("e")}})));
  EXPECT_FALSE(accepts(map({{"p", kOne}, {"t", kOne}, {"y", text("p")}})));
  EXPECT_FALSE(accepts(map({{"p", "\x81\x00"s + kOne}, {"t", kOne}, {"y", text("p")}})));
  EXPECT_FALSE(accepts(map({{"t", kOne}, {"y", text("q")}, {"q", text("ping")}})));
  EXPECT_FALSE(accepts(map({{"a", map({})}, {"t", kOne}, {"y", text("q")}})));
}

TEST(DhtMessage, RefusesFieldsOfAnotherType) {
  for (const char* const field :
       {"h", "target", "token", "sa", "n4", "n6", "q", "w", "values", "fileds", "re", "exp"}) {
    EXPECT_FALSE(accepts(reply_with(field, kOne))) << field;
    EXPECT_FALSE(accepts(reply_with(field, kNil))) << field;
  }
  for (const char* const field : {"vid", "sid", "ve"}) {
    EXPECT_FALSE(accepts(reply_with(field, kNil))) << field;
  }
  EXPECT_FALSE(accepts(reply(map({{"id", binary(19)}}))));
  EXPECT_FALSE(accepts(reply_with("id", binary(20))));  // a key twice
  EXPECT_FALSE(accepts(reply_with("token", binary(65))));
  EXPECT_FALSE(accepts(reply_with("values", array({kNil}))));
}

TEST(DhtMessage, RefusesRowsThatDoNotFitTheirColumns) {
  const auto rows = [](const std::string& columns, const std::string& cells) {
    return reply_with("fileds", map({{"f", columns}, {"v", cells}}));
  };
  EXPECT_TRUE(accepts(rows(array({kOne, kOne}), array({}))));
  EXPECT_FALSE(accepts(rows(array({}), array({}))));
  EXPECT_FALSE(accepts(rows(array({}), array({kOne}))));
  EXPECT_FALSE(accepts(rows(array({kOne, kOne}), array({kOne}))));
}

TEST(DhtMessage, RefusesNestingAndCountsBeyondReason) {
  std::string deep;
  for (int i = 0; i < 1000; ++i)
    deep += "\x91";
  EXPECT_FALSE(accepts(reply_with("unknown", deep + kNil)));
  EXPECT_FALSE(accepts(reply_with("unknown", "\xdc\xff\xff"s + std::string(65535, '\x01'))));
  EXPECT_FALSE(accepts(reply_with("unknown", "\xdd\xff\xff\xff\xff"s)));
  EXPECT_FALSE(accepts("\xdf\xff\xff\xff\xff"s));
}

TEST(DhtMessage, RefusesOtherBytes) {
  EXPECT_FALSE(accepts(""));
  EXPECT_FALSE(accepts("\x80"s));
  EXPECT_FALSE(accepts("\x04\x00\x00\x00"s));
  EXPECT_FALSE(accepts(std::string(1000, '\x81')));
}

}  // namespace
}  // namespace ipop::overlay
