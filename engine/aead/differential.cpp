#include "engine/aead/differential.hpp"

#include <algorithm>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace ipop::engine {
namespace {

using Buffer = std::vector<std::uint8_t>;

constexpr std::size_t kMostJobs = 64;
constexpr std::size_t kLongest = 1600;
constexpr std::size_t kKeys = 3;
constexpr std::size_t kBursts[] = {1, 2, 3, 4, 5, 8, 13, 16, 17, 32, 33, 64};

// One engine's side of the comparison.
struct Side {
  explicit Side(AeadEngine& of) : engine(of), out(kMostJobs) {}

  AeadEngine& engine;
  AeadKey keys[kKeys];
  std::vector<Buffer> out;
  std::vector<AeadJob> jobs;
};

class Comparison {
 public:
  Comparison(AeadEngine& engine, AeadEngine& reference, AeadSuite suite)
      : one_(engine), other_(reference), suite_(suite) {
    for (std::size_t i = 0; i < kKeys; ++i) {
      const Buffer bytes = random_bytes(32);
      const Secret<32> raw(ByteView(bytes).first<32>());
      for (Side* const side : {&one_, &other_})
        side->engine.expand(suite, raw, side->keys[i]);
    }
    for (Buffer& text : plain_)
      text = random_bytes(kLongest);
  }

  void run() {
    for (const std::size_t count : kBursts) {
      choose(count);
      seal(one_);
      seal(other_);
      for (std::size_t i = 0; i < count; ++i) {
        if (one_.out[i] != other_.out[i]) fail(lengths_[i], "sealed");
      }
      const std::size_t damaged = random_() % count;
      for (Side* const side : {&one_, &other_})
        open(*side, damaged);
    }
  }

 private:
  Buffer random_bytes(std::size_t size) {
    Buffer bytes(size);
    for (auto& byte : bytes)
      byte = static_cast<std::uint8_t>(random_());
    return bytes;
  }

  // Equal lengths and keys as well as mixed ones.
  void choose(std::size_t count) {
    const bool alike = random_() % 2 == 0;
    const std::size_t length = random_() % kLongest;
    lengths_.assign(count, length);
    key_of_.assign(count, random_() % kKeys);
    if (alike) return;
    for (std::size_t i = 0; i < count; ++i) {
      lengths_[i] = random_() % (random_() % 2 == 0 ? 130 : kLongest);
      key_of_[i] = random_() % kKeys;
    }
  }

  void seal(Side& side) {
    side.jobs.clear();
    for (std::size_t i = 0; i < lengths_.size(); ++i) {
      side.out[i].assign(lengths_[i] + kTagSize, 0);
      side.jobs.push_back(job(side, i, plain_[i].data()));
    }
    side.engine.seal_burst(side.jobs);
    for (std::size_t i = 0; i < lengths_.size(); ++i) {
      if (!side.jobs[i].ok) fail(lengths_[i], "not sealed");
    }
  }

  // In place, what seal() left.
  void open(Side& side, std::size_t damaged) {
    const std::size_t bit = random_() % (8 * side.out[damaged].size());
    side.out[damaged][bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    side.jobs.clear();
    for (std::size_t i = 0; i < lengths_.size(); ++i)
      side.jobs.push_back(job(side, i, side.out[i].data()));
    side.engine.open_burst(side.jobs);
    for (std::size_t i = 0; i < lengths_.size(); ++i) {
      if (side.jobs[i].ok == (i == damaged)) fail(lengths_[i], "judged");
      if (i != damaged &&
          !std::equal(plain_[i].begin(), plain_[i].begin() + lengths_[i], side.out[i].begin())) {
        fail(lengths_[i], "opened");
      }
    }
  }

  AeadJob job(Side& side, std::size_t i, const std::uint8_t* in) const {
    return {.key = &side.keys[key_of_[i]],
            .in = in,
            .out = side.out[i].data(),
            .length = static_cast<std::uint32_t>(lengths_[i]),
            .counter = std::uint64_t{0xfffffff0} + i};
  }

  [[noreturn]] void fail(std::size_t length, const char* what) const {
    throw std::runtime_error(std::string(name(suite_)) + ", " + std::to_string(length) +
                             " bytes in a burst of " + std::to_string(lengths_.size()) + ": " +
                             what + " otherwise than " + std::string(other_.engine.name()));
  }

  Side one_;
  Side other_;
  AeadSuite suite_;
  // The same ones at each start: two engines of a process must come to the same judgement.
  std::mt19937_64 random_{20'26};
  std::vector<Buffer> plain_ = std::vector<Buffer>(kMostJobs);
  std::vector<std::size_t> lengths_;
  std::vector<std::size_t> key_of_;
};

}  // namespace

void check_same_results(AeadEngine& engine, AeadEngine& reference) {
  for (const AeadSuite suite : {AeadSuite::kChaCha20Poly1305, AeadSuite::kAes256Gcm}) {
    const unsigned bit = 1u << static_cast<unsigned>(suite);
    if ((engine.suites() & reference.suites() & bit) != 0) {
      Comparison(engine, reference, suite).run();
    }
  }
}

}  // namespace ipop::engine
