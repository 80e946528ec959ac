#include "overlay/handshake/blake2s.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "base/text.hpp"
#include "overlay/handshake/kdf.hpp"

namespace ipop::overlay::handshake {
namespace {

// 00 01 02 …, the input of the reference implementation's known answers.
std::vector<std::uint8_t> counting(std::size_t size) {
  std::vector<std::uint8_t> bytes(size);
  std::iota(bytes.begin(), bytes.end(), std::uint8_t{0});
  return bytes;
}

Secret<32> counting_key() {
  const auto bytes = counting(32);
  return Secret<32>(std::span(bytes).first<32>());
}

std::string keyed(std::size_t input_size, std::size_t out_size) {
  std::vector<std::uint8_t> out(out_size);
  blake2s_mac(counting_key().bytes(), {counting(input_size)}, out);
  return to_hex(out);
}

TEST(Blake2s, HashesAbcAsRfc7693AppendixBDoes) {
  EXPECT_EQ(to_hex(blake2s({label_bytes("abc")})),
            "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982");
}

TEST(Blake2s, HashesNothing) {
  EXPECT_EQ(to_hex(blake2s({})),
            "69217a3079908094e11121d042354a7c1f55b6482ca1a51e1b250dfd1ed0eef9");
}

TEST(Blake2s, DoesNotCareWhereItsInputIsCut) {
  const auto bytes = counting(200);
  const ByteView all(bytes);
  EXPECT_EQ(blake2s({all}), blake2s({all.first(1), {}, all.subspan(1, 63), all.subspan(64)}));
}

// The answers to all inputs of 0 to 255 bytes, hashed once more, so that one line pins them.
TEST(Blake2s, GivesTheKnownAnswersForInputsOfEachSize) {
  std::vector<std::uint8_t> plain, mac32, mac16;
  for (std::size_t size = 0; size < 256; ++size) {
    const auto input = counting(size);
    const Hash hash = blake2s({input});
    std::array<std::uint8_t, 32> long_mac;
    std::array<std::uint8_t, 16> short_mac;
    blake2s_mac(counting_key().bytes(), {input}, long_mac);
    blake2s_mac(counting_key().bytes(), {input}, short_mac);
    plain.insert(plain.end(), hash.begin(), hash.end());
    mac32.insert(mac32.end(), long_mac.begin(), long_mac.end());
    mac16.insert(mac16.end(), short_mac.begin(), short_mac.end());
  }
  EXPECT_EQ(to_hex(blake2s({plain})),
            "6d86d20a9d486cc270bc10f4523a3e811f7f88636204b0a9a76277823b30b672");
  EXPECT_EQ(to_hex(blake2s({mac32})),
            "2582f7b18a91f66ef22aa9455384ada69b2590306a6470ee8588df75ee982f02");
  EXPECT_EQ(to_hex(blake2s({mac16})),
            "30cc90a56615ddfabcf5d63db9805ec44aefe70ce63c66cc8214f7c74ee57b16");
}

TEST(Blake2s, MacsAsTheReferenceDoes) {
  EXPECT_EQ(keyed(0, 32), "48a8997da407876b3d79c0d92325ad3b89cbb754d86ab71aee047ad345fd2c49");
  EXPECT_EQ(keyed(1, 32), "40d15fee7c328830166ac3f918650f807e7e01e177258cdc0a39b11f598066f1");
  EXPECT_EQ(keyed(64, 32), "8975b0577fd35566d750b362b0897a26c399136df07bababbde6203ff2954ed4");
  EXPECT_EQ(keyed(255, 32), "3fb735061abc519dfe979e54c1ee5bfad0a9d858b3315bad34bde999efd724dd");
}

TEST(Blake2s, TakesAKeyOf16Bytes) {
  std::array<std::uint8_t, 16> out;
  blake2s_mac(counting(16), {label_bytes("abc")}, out);
  EXPECT_EQ(to_hex(out), "75296c2d2c0f51210b383f386bc8b1ff");
}

TEST(Hmac, AgreesWithAnotherImplementation) {
  const struct {
    std::size_t size;
    const char* expected;
  } cases[] = {
      {0, "e2641d24dfa8dd89e8cb77f1cdc77d8c006e5bebdfc4d6a3a3a6f8d5b7586fb0"},
      {3, "fb3e80cfc950d62fb256c9e5d2219b1d5533d9e3862f9f61f4e02865363b031e"},
      {64, "3b35e945d05ac982850451ac8b6cdfffb98e56f50b95272fab665de081691056"},
      {200, "543eec9b22646365ef782d72dae137cc761d018005f8d33d0f20bfbd01e62974"},
  };
  for (const auto& [size, expected] : cases) {
    std::array<std::uint8_t, 32> out;
    hmac_blake2s(counting_key(), {counting(size)}, out);
    EXPECT_EQ(to_hex(out), expected) << size << " bytes";
  }
}

TEST(DeriveKeys, MayOverwriteItsSalt) {
  const auto separate = derive_keys<2>(counting_key(), counting(7));
  std::array<Secret<32>, 2> in_place{counting_key(), Secret<32>()};
  derive_keys(in_place[0], counting(7), in_place);
  EXPECT_EQ(in_place[0], separate[0]);
  EXPECT_EQ(in_place[1], separate[1]);
}

TEST(DeriveKeys, GivesTheSameFirstKeysForMoreOfThem) {
  const auto two = derive_keys<2>(counting_key(), {});
  const auto three = derive_keys<3>(counting_key(), {});
  EXPECT_EQ(two[0], three[0]);
  EXPECT_EQ(two[1], three[1]);
  EXPECT_FALSE(three[1] == three[2]);
}

}  // namespace
}  // namespace ipop::overlay::handshake
