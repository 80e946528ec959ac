// A burst of any shape: our own kernels and a library seal it to the same bytes, each opens it, and
// what the input damages is refused by both.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <memory>
#include <vector>

#include "base/bytes.hpp"
#include "engine/aead/aead.hpp"

namespace {

using namespace ipop;
using engine::AeadJob;
using engine::AeadSuite;

constexpr std::size_t kKeys = 3;
constexpr std::size_t kMostJobs = 70;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Side {
  explicit Side(const char* name) : aead(engine::make_aead_engine(name)) {
    for (std::size_t i = 0; i < kKeys; ++i) {
      std::array<std::uint8_t, 32> raw;
      raw.fill(static_cast<std::uint8_t>(i + 1));
      aead->expand(i == 0 ? AeadSuite::kChaCha20Poly1305 : AeadSuite::kAes256Gcm, Secret<32>(raw),
                   keys[i]);
    }
  }

  std::unique_ptr<engine::AeadEngine> aead;
  engine::AeadKey keys[kKeys];
};

struct Shape {
  std::size_t key = 0;
  std::size_t length = 0;
  std::size_t front = 0;
  std::uint64_t counter = 0;
  bool in_place = false;
};

// Where no kernel of ours runs there is nothing to compare.
std::vector<std::unique_ptr<Side>> kernels() {
  std::vector<std::unique_ptr<Side>> sides;
  for (const char* const name : {"avx512", "vaes256", "avx2"}) {
    try {
      sides.push_back(std::make_unique<Side>(name));
    } catch (const std::runtime_error&) {
      continue;
    }
  }
  return sides;
}

std::vector<Shape> read_shapes(ByteReader& reader) {
  std::vector<Shape> shapes;
  while (reader.remaining() >= 6 && shapes.size() < kMostJobs) {
    Shape one;
    const std::uint8_t kind = reader.u8();
    one.key = kind % kKeys;
    one.in_place = (kind & 0x40) != 0;
    one.length = reader.le<std::uint16_t>() % 2100;
    one.front = (kind & 0x80) != 0 && !one.in_place
                    ? std::min<std::size_t>(reader.u8() % 161, one.length)
                    : 0;
    one.counter = std::uint64_t{reader.le<std::uint16_t>()} << (kind % 49);
    shapes.push_back(one);
  }
  return shapes;
}

using Buffers = std::vector<std::vector<std::uint8_t>>;

Buffers seal(Side& side, const std::vector<Shape>& shapes, ByteView texts) {
  Buffers fronts(shapes.size());
  Buffers ins(shapes.size());
  Buffers outs(shapes.size());
  std::vector<AeadJob> jobs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    const Shape& shape = shapes[i];
    std::vector<std::uint8_t> text(shape.length);
    for (std::size_t at = 0; at < text.size(); ++at)
      text[at] = static_cast<std::uint8_t>(texts.empty() ? i : texts[(at + i) % texts.size()]);
    const auto middle = text.begin() + static_cast<std::ptrdiff_t>(shape.front);
    fronts[i].assign(text.begin(), middle);
    // Room in front that may be written to.
    ins[i].assign(shape.front, 0);
    ins[i].insert(ins[i].end(), middle, text.end());
    outs[i].resize(shape.length + engine::kTagSize);
    if (shape.in_place) std::ranges::copy(text, outs[i].begin());
    jobs.push_back({.key = &side.keys[shape.key],
                    .in = shape.in_place ? outs[i].data() : ins[i].data() + shape.front,
                    .out = outs[i].data(),
                    .length = static_cast<std::uint32_t>(shape.length),
                    .counter = shape.counter,
                    .front = fronts[i].data(),
                    .front_length = static_cast<std::uint32_t>(shape.front)});
  }
  side.aead->seal_burst(jobs);
  for (const AeadJob& job : jobs)
    require(job.ok);
  return outs;
}

std::vector<bool> open(Side& side, const std::vector<Shape>& shapes, Buffers sealed,
                       Buffers& opened) {
  std::vector<AeadJob> jobs;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    jobs.push_back({.key = &side.keys[shapes[i].key],
                    .in = sealed[i].data(),
                    .out = sealed[i].data(),
                    .length = static_cast<std::uint32_t>(shapes[i].length),
                    .counter = shapes[i].counter});
  }
  side.aead->open_burst(jobs);
  std::vector<bool> ok;
  for (std::size_t i = 0; i < shapes.size(); ++i) {
    ok.push_back(jobs[i].ok);
    sealed[i].resize(shapes[i].length);
    if (!ok[i]) sealed[i].clear();
  }
  opened = std::move(sealed);
  return ok;
}

void compare(Side& ours, Side& reference, const std::vector<Shape>& shapes, ByteView texts,
             std::uint32_t damage) {
  Buffers sealed = seal(ours, shapes, texts);
  require(sealed == seal(reference, shapes, texts));
  const std::size_t damaged = damage % (shapes.size() + 1);
  if (damaged < shapes.size()) {
    const std::size_t bit = (damage >> 8) % (8 * sealed[damaged].size());
    sealed[damaged][bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  }
  Buffers here;
  Buffers there;
  const auto ok = open(ours, shapes, sealed, here);
  require(ok == open(reference, shapes, sealed, there) && here == there);
  for (std::size_t i = 0; i < shapes.size(); ++i)
    require(ok[i] == (i != damaged));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<std::unique_ptr<Side>> families = kernels();
  static Side reference("libsodium");
  ByteReader reader({data, size});
  const std::uint32_t damage = reader.le<std::uint32_t>();
  const std::vector<Shape> shapes = read_shapes(reader);
  if (shapes.empty()) return 0;
  for (const std::unique_ptr<Side>& ours : families) {
    if ((reference.aead->suites() & ours->aead->suites()) != 3) continue;
    compare(*ours, reference, shapes, ByteView(data, size), damage);
  }
  return 0;
}
