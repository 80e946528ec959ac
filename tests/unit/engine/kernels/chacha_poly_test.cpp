#include <algorithm>
#include <array>

#include "chacha_packets.hpp"

namespace ipop::engine {
namespace {

TEST_P(ChachaPoly, SealsAndOpensEveryLengthLikeOpenssl) {
  const auto key = random_key(random_);
  for (const bool in_place : {false, true}) {
    std::vector<Packet> packets;
    for (std::size_t length = 0; length <= 2100; ++length) {
      packets.emplace_back(random_, *key, random_(), length);
      packets.back().set_in_place(in_place);
      if (packets.size() < 48 && length < 2100) continue;
      expect_seals_and_opens(packets);
      packets.clear();
    }
  }
}

TEST_P(ChachaPoly, SealsAndOpensAtEveryAlignment) {
  const auto key = random_key(random_);
  for (const std::size_t length : {0u, 1u, 16u, 47u, 64u, 65u, 130u, 256u, 1380u}) {
    std::vector<Packet> packets;
    for (std::size_t at = 0; at < 64; ++at) {
      packets.emplace_back(random_, *key, random_(), length);
      packets.back().align(at, (at * 37 + length) % 64);
      packets.back().set_in_place(at % 2 == 0);
    }
    expect_seals_and_opens(packets);
    for (Packet& packet : packets)
      packet.set_in_place(false);
    expect_seals_and_opens(packets);
  }
}

TEST_P(ChachaPoly, SealsBehindFrontsOfAnyLength) {
  const auto key = random_key(random_);
  for (const std::size_t rest : {0u, 1u, 20u, 64u, 100u, 1400u}) {
    std::vector<Packet> packets;
    for (std::size_t front = 0; front <= 160; ++front) {
      packets.emplace_back(random_, *key, random_(), front + rest);
      packets.back().align(random_() % 64, random_() % 64);
      packets.back().set_front(front);
    }
    expect_seals_and_opens(packets);
  }
}

// The segments of a super-packet lie one behind another, so that each front stands for bytes of the
// segment before, and so do the sealed ones of a train.
TEST_P(ChachaPoly, SealsTheSegmentsOfASuperPacket) {
  const auto key = random_key(random_);
  for (const std::size_t size : {1u, 39u, 536u, 1440u}) {
    const std::size_t count = 64;
    const Bytes super = random_bytes(random_, 100 + count * size);
    const Bytes before = super;
    const Bytes fronts = random_bytes(random_, count * 100);
    Bytes train(count * (16 + 100 + size + kTagSize), kFiller);
    Bytes expected = train;
    std::vector<AeadJob> jobs;
    std::size_t at = 16;
    for (std::size_t i = 0; i < count; ++i) {
      const auto front = static_cast<std::uint32_t>(40 + random_() % 60);
      const auto from = [](const Bytes& bytes, std::size_t offset) {
        return bytes.begin() + static_cast<std::ptrdiff_t>(offset);
      };
      Bytes text(from(fronts, 100 * i), from(fronts, 100 * i + front));
      text.insert(text.end(), from(super, 100 + i * size), from(super, 100 + (i + 1) * size));
      const Bytes sealed = openssl_seal(*key, i, text);
      std::copy(sealed.begin(), sealed.end(), expected.begin() + static_cast<std::ptrdiff_t>(at));
      jobs.push_back({.key = key.get(),
                      .in = &super[100 + i * size],
                      .out = &train[at],
                      .length = static_cast<std::uint32_t>(text.size()),
                      .counter = i,
                      .front = &fronts[100 * i],
                      .front_length = front});
      at += sealed.size() + 16;
    }
    GetParam().seal(jobs.data(), jobs.size());
    EXPECT_TRUE(train == expected) << "segments of " << size;
    EXPECT_TRUE(super == before);
  }
}

TEST_P(ChachaPoly, SealsAndOpensBurstsOfAnyCount) {
  const auto key = random_key(random_);
  GetParam().seal(nullptr, 0);
  GetParam().open(nullptr, 0);
  for (std::size_t count = 1; count <= 70; ++count) {
    for (const std::size_t length : {64u, 200u}) {
      std::vector<Packet> packets;
      for (std::size_t i = 0; i < count; ++i)
        packets.emplace_back(random_, *key, i, length);
      expect_seals_and_opens(packets);
    }
  }
}

TEST_P(ChachaPoly, SealsAndOpensMixedLengthsAndKeys) {
  std::vector<std::unique_ptr<AeadKey>> keys;
  for (int i = 0; i < 20; ++i)
    keys.push_back(random_key(random_));
  for (int round = 0; round < 2000; ++round) {
    const std::size_t most = round % 3 == 0 ? 100 : round % 3 == 1 ? 700 : 3000;
    const std::size_t distinct = 1 + random_() % keys.size();
    std::vector<Packet> packets;
    for (std::size_t i = 1 + random_() % 64; i > 0; --i) {
      const std::size_t length = random_() % most;
      packets.emplace_back(random_, *keys[random_() % distinct], random_(), length);
      packets.back().align(random_() % 64, random_() % 64);
      packets.back().set_in_place(random_() % 2 == 0);
      if (random_() % 4 == 0) packets.back().set_front(std::min(length, random_() % 161));
    }
    expect_seals_and_opens(packets);
  }
}

TEST_P(ChachaPoly, AgreesWithIpsecMb) {
  std::unique_ptr<AeadEngine> engine;
  try {
    engine = make_aead_engine("ipsec-mb");
  } catch (const std::runtime_error& error) {
    GTEST_SKIP() << error.what();
  }
  AeadKey key;
  engine->expand(AeadSuite::kChaCha20Poly1305, Secret<32>::random(), key);
  for (int round = 0; round < 400; ++round) {
    const std::size_t count = 1 + random_() % 64;
    const Bytes plain = random_bytes(random_, 2100);
    std::array<std::vector<Bytes>, 2> sealed;
    std::vector<std::uint32_t> lengths;
    for (std::size_t i = 0; i < count; ++i)
      lengths.push_back(static_cast<std::uint32_t>(random_() % 2100));
    for (int other = 0; other < 2; ++other) {
      std::vector<AeadJob> jobs;
      for (std::size_t i = 0; i < count; ++i)
        sealed[other].emplace_back(lengths[i] + kTagSize);
      for (std::size_t i = 0; i < count; ++i)
        jobs.push_back({&key, plain.data(), sealed[other][i].data(), lengths[i], i});
      other == 0 ? GetParam().seal(jobs.data(), count) : engine->seal_burst(jobs);
    }
    ASSERT_TRUE(sealed[0] == sealed[1]);
    // Each opens what the other has sealed.
    for (int other = 0; other < 2; ++other) {
      std::vector<AeadJob> jobs;
      for (std::size_t i = 0; i < count; ++i) {
        std::uint8_t* const at = sealed[1 - other][i].data();
        jobs.push_back({&key, at, at, lengths[i], i});
      }
      other == 0 ? GetParam().open(jobs.data(), count) : engine->open_burst(jobs);
      for (std::size_t i = 0; i < count; ++i) {
        ASSERT_TRUE(jobs[i].ok);
        ASSERT_TRUE(std::equal(jobs[i].out, jobs[i].out + lengths[i], plain.begin()));
      }
    }
  }
}

TEST_P(ChachaPoly, RefusesADamagedBitAndNoOtherPacket) {
  const auto key = random_key(random_);
  const auto other_key = random_key(random_);
  for (int round = 0; round < 4000; ++round) {
    std::vector<Packet> packets;
    std::vector<bool> damaged;
    const std::size_t most = round % 2 == 0 ? 80 : 600;
    for (std::size_t i = 1 + random_() % 40; i > 0; --i) {
      packets.emplace_back(random_, random_() % 2 == 0 ? *key : *other_key, random_(),
                           random_() % most);
      packets.back().set_in_place(random_() % 2 == 0);
      damaged.push_back(random_() % 4 == 0);
      const std::size_t bits = packets.back().sealed_bits();
      // As often in the tag as in the text.
      if (damaged.back())
        packets.back().damage(random_() % 2 == 0 ? random_() % bits : bits - 1 - random_() % 128);
    }
    std::vector<AeadJob> jobs;
    for (Packet& packet : packets)
      jobs.push_back(packet.open_job());
    for (std::size_t i = 0; i < jobs.size(); ++i)
      jobs[i].ok = damaged[i];
    GetParam().open(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      ASSERT_EQ(jobs[i].ok, !damaged[i]);
      if (jobs[i].ok) packets[i].expect_opened();
    }
  }
}

TEST_P(ChachaPoly, RefusesEachBitOfASmallPacketAndItsTag) {
  const auto key = random_key(random_);
  std::vector<Packet> packets;
  for (std::size_t bit = 0; bit < 8 * (20 + kTagSize); ++bit) {
    packets.emplace_back(random_, *key, bit, 20);
    packets.back().damage(bit);
  }
  std::vector<AeadJob> jobs;
  for (Packet& packet : packets)
    jobs.push_back(packet.open_job());
  GetParam().open(jobs.data(), jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i)
    EXPECT_FALSE(jobs[i].ok) << "bit " << i;
}

TEST_P(ChachaPoly, CountsBlocksAndNoncesThroughEveryCarry) {
  const auto key = random_key(random_);
  for (const int bits : {8, 16, 24, 32, 40, 48, 56, 64}) {
    const std::uint64_t edge = bits == 64 ? 0 : std::uint64_t{1} << bits;
    std::vector<Packet> packets;
    for (int i = -20; i < 20; ++i)
      packets.emplace_back(random_, *key, edge + static_cast<std::uint64_t>(i), 150);
    expect_seals_and_opens(packets);
  }
  // Block numbers of one, two and three bytes.
  std::vector<Packet> packets;
  for (const std::size_t length : {255u * 64, 257u * 64 + 1, 65535u, 65536u, 70000u, 100u})
    packets.emplace_back(random_, *key, random_(), length);
  expect_seals_and_opens(packets);
}

// Numbers at the edge of the modulus: r as large as it can be, text of ones and of zeros.
TEST_P(ChachaPoly, AuthenticatesTextOfOnesAndZeros) {
  for (int round = 0; round < 50; ++round) {
    const auto key = random_key(random_);
    std::vector<Bytes> sealed;
    std::vector<Bytes> text;
    std::vector<AeadJob> jobs;
    for (std::size_t i = 0; i < 32; ++i) {
      // The ciphertext is what is authenticated: the text is chosen so that it comes out as wanted.
      const std::size_t length = 16 * (1 + random_() % 40);
      const Bytes stream = openssl_seal(*key, i, Bytes(length, 0));
      text.push_back(stream);
      text.back().resize(length);
      if (i % 2 == 0) {
        for (auto& byte : text.back())
          byte ^= 0xff;
      }
      sealed.emplace_back(length + kTagSize);
    }
    for (std::size_t i = 0; i < 32; ++i) {
      jobs.push_back({key.get(), text[i].data(), sealed[i].data(),
                      static_cast<std::uint32_t>(text[i].size()), i});
    }
    GetParam().seal(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < 32; ++i)
      ASSERT_TRUE(sealed[i] == openssl_seal(*key, i, text[i]));
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, ChachaPoly, testing::ValuesIn(kChachaKernels), name_of);

}  // namespace
}  // namespace ipop::engine
