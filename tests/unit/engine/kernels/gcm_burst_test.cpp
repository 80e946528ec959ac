// The AES-256-GCM kernels against OpenSSL: every length and alignment, fronts, counters, bursts of
// any length, mixed keys and lengths, damage.
#include <algorithm>

#include "tests/unit/engine/kernels/gcm_reference.hpp"

namespace ipop::engine::gcm {
namespace {

class GcmBurst : public OfFamily {
 protected:
  void SetUp() override {
    OfFamily::SetUp();
    if (IsSkipped()) return;
    for (int i = 0; i < 7; ++i)
      keys_.push_back(std::make_unique<Key>(random_));
  }

  const Key& any_key() { return *keys_[random_() % keys_.size()]; }

  Packet packet(const Packet::Form& form) { return {any_key(), random_(), form, random_}; }
  Packet packet_of_first_key(const Packet::Form& form) {
    return {*keys_[0], random_(), form, random_};
  }

  void expect_seals(std::vector<Packet>& packets) {
    std::vector<AeadJob> jobs;
    for (Packet& one : packets)
      jobs.push_back(one.to_seal());
    seal_gcm(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      packets[i].expect_sealed(jobs[i]);
      if (HasFatalFailure()) return;
    }
  }
  void expect_opens(std::vector<Packet>& packets) {
    std::vector<AeadJob> jobs;
    for (Packet& one : packets)
      jobs.push_back(one.to_open());
    open_gcm(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      packets[i].expect_opened(jobs[i]);
      if (HasFatalFailure()) return;
    }
  }
  void expect_both(std::vector<Packet>& packets) {
    expect_seals(packets);
    if (!HasFatalFailure()) expect_opens(packets);
  }

  std::mt19937_64 random_{20'26};
  std::vector<std::unique_ptr<Key>> keys_;
};

TEST_P(GcmBurst, SealsAndOpensEveryLengthAlone) {
  for (std::size_t length = 0; length <= 2100; ++length) {
    for (const bool in_place : {false, true}) {
      std::vector<Packet> packets;
      packets.push_back(packet({.length = length, .in_place = in_place}));
      expect_both(packets);
      if (HasFatalFailure()) return;
    }
  }
}

// Seven: four that go together, and three that are left; of one key and of several.
TEST_P(GcmBurst, SealsAndOpensEveryLengthAmongItsLike) {
  for (std::size_t length = 0; length <= 2100; length += length < 600 ? 1 : 13) {
    for (const bool one_key : {false, true}) {
      std::vector<Packet> packets;
      for (int i = 0; i < 7; ++i) {
        const Packet::Form form{.length = length, .in_place = i % 2 == 0};
        packets.push_back(one_key ? packet_of_first_key(form) : packet(form));
      }
      expect_both(packets);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(GcmBurst, SealsAndOpensAtEveryAlignment) {
  for (std::size_t shift = 0; shift < 64; ++shift) {
    std::vector<Packet> packets;
    for (const std::size_t length : {0u, 1u, 15u, 16u, 17u, 63u, 64u, 65u, 100u, 128u, 191u, 200u,
                                     256u, 257u, 511u, 512u, 513u, 1024u, 1400u}) {
      for (const bool in_place : {false, true})
        packets.push_back(packet({.length = length, .shift = shift, .in_place = in_place}));
    }
    expect_both(packets);
    if (HasFatalFailure()) return;
  }
}

TEST_P(GcmBurst, SealsBehindFrontsOfAnyLength) {
  for (std::size_t front = 1; front <= 260; ++front) {
    std::vector<Packet> packets;
    for (const std::size_t behind : {0u, 1u, 24u, 63u, 64u, 100u, 128u, 200u, 300u, 460u, 900u}) {
      packets.push_back(
          packet({.length = front + behind, .front = front, .shift = random_() % 64}));
    }
    expect_seals(packets);
    if (HasFatalFailure()) return;
  }
}

TEST_P(GcmBurst, TakesBurstsOfAnyLength) {
  seal_gcm(nullptr, 0);
  open_gcm(nullptr, 0);
  for (const std::size_t length : {20u, 64u, 130u, 256u, 600u}) {
    for (std::size_t count = 1; count <= 70; count += length == 64 ? 1 : 5) {
      std::vector<Packet> packets;
      for (std::size_t i = 0; i < count; ++i)
        packets.push_back(packet_of_first_key({.length = length, .in_place = i % 3 == 0}));
      expect_both(packets);
      if (HasFatalFailure()) return;
    }
  }
}

TEST_P(GcmBurst, TakesAnyMixOfKeysAndLengths) {
  for (int round = 0; round < 150; ++round) {
    std::vector<Packet> packets;
    const std::size_t count = 1 + random_() % 64;
    const std::size_t most = round % 3 == 0 ? 2000 : 330;
    const bool runs = round % 2 == 0;
    const Key* key = &any_key();
    for (std::size_t i = 0; i < count; ++i) {
      if (!runs || random_() % 8 == 0) key = &any_key();
      Packet::Form form{.length = random_() % most, .shift = random_() % 64};
      form.in_place = random_() % 2 == 0;
      if (!form.in_place && random_() % 3 == 0) form.front = random_() % (form.length + 1);
      packets.emplace_back(*key, random_(), form, random_);
    }
    expect_both(packets);
    if (HasFatalFailure()) return;
  }
}

// Numbers of blocks carry at 256 and 65,536 blocks, 4 KiB and 1 MiB; registers that straddle them,
// and pieces, are numbered in another way than the first 24.
TEST_P(GcmBurst, NumbersTheBlocksOfLongPackets) {
  std::vector<Packet> packets;
  for (std::size_t length = 1400; length <= 1700; length += 31)
    packets.push_back(packet({.length = length}));
  for (std::size_t length = 4000; length <= 4200; length += 7)
    packets.push_back(packet({.length = length, .in_place = length % 2 == 0}));
  for (const std::size_t length : {8900u, 9000u, 16'000u, 65'535u, 65'536u, 70'000u, 1'060'000u})
    packets.push_back(packet({.length = length}));
  expect_both(packets);
}

TEST_P(GcmBurst, TakesTheCounterFromAllItsBytes) {
  std::vector<Packet> packets;
  for (int bit = 0; bit < 64; ++bit) {
    for (const std::uint64_t less : {0u, 1u, 2u}) {
      for (const std::size_t length : {40u, 300u})
        packets.emplace_back(any_key(), (std::uint64_t{1} << bit) - less,
                             Packet::Form{.length = length}, random_);
    }
  }
  expect_both(packets);
}

TEST_P(GcmBurst, RefusesEverySingleDamagedBitAndNoOtherPacket) {
  for (const std::size_t length : {0u, 5u, 64u, 100u, 150u, 250u, 300u}) {
    std::vector<Packet> packets;
    for (int i = 0; i < 5; ++i)
      packets.push_back(packet({.length = length, .in_place = true}));
    std::vector<AeadJob> jobs(packets.size());
    for (std::size_t bit = 0; bit < packets[0].bits(); ++bit) {
      const std::size_t damaged = bit % packets.size();
      for (std::size_t i = 0; i < packets.size(); ++i) {
        jobs[i] = packets[i].to_open();
        jobs[i].ok = i == damaged;  // must be set either way
      }
      packets[damaged].damage(bit);
      open_gcm(jobs.data(), jobs.size());
      for (std::size_t i = 0; i < packets.size(); ++i)
        ASSERT_EQ(jobs[i].ok, i != damaged) << length << " bytes, bit " << bit;
    }
  }
}

TEST_P(GcmBurst, RefusesDamageInMixedBursts) {
  for (int round = 0; round < 100; ++round) {
    std::vector<Packet> packets;
    std::vector<AeadJob> jobs;
    std::vector<bool> damaged;
    for (std::size_t i = 0; i <= random_() % 64; ++i)
      packets.push_back(packet({.length = random_() % (i % 4 == 0 ? 1500 : 280)}));
    for (Packet& one : packets) {
      jobs.push_back(one.to_open());
      damaged.push_back(random_() % 4 == 0);
      if (damaged.back()) one.damage(random_() % one.bits());
    }
    open_gcm(jobs.data(), jobs.size());
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      ASSERT_EQ(jobs[i].ok, !damaged[i]);
      if (!damaged[i]) packets[i].expect_opened(jobs[i]);
    }
  }
}

TEST_P(GcmBurst, RefusesAWrongKeyCounterOrLength) {
  for (const std::size_t length : {1u, 64u, 200u, 1000u}) {
    Packet one(*keys_[0], 77, {.length = length}, random_);
    AeadJob job = one.to_open();
    job.counter ^= std::uint64_t{1} << 63;
    open_gcm(&job, 1);
    EXPECT_FALSE(job.ok);
    job = one.to_open();
    job.key = &keys_[1]->expanded;
    open_gcm(&job, 1);
    EXPECT_FALSE(job.ok);
    job = one.to_open();
    job.length -= 1;
    open_gcm(&job, 1);
    EXPECT_FALSE(job.ok);
  }
}

INSTANTIATE_TEST_SUITE_P(Aead, GcmBurst, testing::ValuesIn(kFamilies), OfFamily::title);

}  // namespace
}  // namespace ipop::engine::gcm
