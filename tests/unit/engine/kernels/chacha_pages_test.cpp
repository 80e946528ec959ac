// Packets whose buffers begin or end where no memory is: a byte too many, read or written, ends the
// test program.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <stdexcept>

#include "chacha_packets.hpp"
namespace ipop::engine {
namespace {

// One page of memory between two that are not there.
class LonePage {
 public:
  LonePage() : size_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    void* const all = mmap(nullptr, 3 * size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (all == MAP_FAILED) throw std::runtime_error("mmap failed");
    all_ = static_cast<std::uint8_t*>(all);
    if (mprotect(first(), size_, PROT_READ | PROT_WRITE) != 0)
      throw std::runtime_error("mprotect failed");
  }
  ~LonePage() { munmap(all_, 3 * size_); }
  LonePage(const LonePage&) = delete;
  LonePage& operator=(const LonePage&) = delete;

  [[nodiscard]] std::uint8_t* first() const { return all_ + size_; }
  // The start of `size` bytes that end with the page.
  [[nodiscard]] std::uint8_t* last(std::size_t size) const { return first() + size_ - size; }

 private:
  std::size_t size_;
  std::uint8_t* all_ = nullptr;
};

class ChachaPages : public ChachaPoly {
 protected:
  // `front` bytes of the text stand elsewhere, at the edge of a page of their own.
  void expect_works(const AeadKey& key, std::size_t length, std::size_t front, bool at_end) {
    const Bytes plain = random_bytes(random_, length);
    const Bytes sealed = openssl_seal(key, length, plain);
    const auto place = [at_end](const LonePage& page, std::size_t size) {
      return at_end ? page.last(size) : page.first();
    };
    std::uint8_t* const in = place(in_page_, length - front);
    std::uint8_t* const out = place(out_page_, sealed.size());
    std::uint8_t* const head = place(front_page_, front);
    std::copy_n(plain.begin(), front, head);
    std::copy(plain.begin() + static_cast<std::ptrdiff_t>(front), plain.end(), in);
    AeadJob job{.key = &key,
                .in = in,
                .out = out,
                .length = static_cast<std::uint32_t>(length),
                .counter = length,
                .front = head,
                .front_length = static_cast<std::uint32_t>(front)};
    GetParam().seal(&job, 1);
    ASSERT_TRUE(job.ok);
    ASSERT_EQ(Bytes(out, out + sealed.size()), sealed);

    std::uint8_t* const opened = place(in_page_, length);
    job = {&key, out, opened, static_cast<std::uint32_t>(length), length};
    GetParam().open(&job, 1);
    ASSERT_TRUE(job.ok);
    ASSERT_EQ(Bytes(opened, opened + length), plain);

    job.out = out;
    GetParam().open(&job, 1);
    ASSERT_TRUE(job.ok);
    ASSERT_EQ(Bytes(out, out + length), plain);
    GetParam().seal(&job, 1);
    ASSERT_EQ(Bytes(out, out + sealed.size()), sealed);
  }

  LonePage in_page_;
  LonePage out_page_;
  LonePage front_page_;
};

TEST_P(ChachaPages, StaysWithinBuffersAtTheEdgeOfAPage) {
  const auto key = random_key(random_);
  for (std::size_t length = 0; length <= 300; ++length) {
    expect_works(*key, length, 0, true);
    expect_works(*key, length, 0, false);
  }
  for (const std::size_t length : {1023u, 1400u, 1440u, 2048u, 4000u}) {
    expect_works(*key, length, 0, true);
    expect_works(*key, length, 0, false);
  }
}

TEST_P(ChachaPages, StaysWithinFrontAndRestAtTheEdgeOfAPage) {
  const auto key = random_key(random_);
  for (const std::size_t front : {1u, 20u, 40u, 63u, 64u, 65u, 100u, 128u, 160u}) {
    for (std::size_t rest = 0; rest <= 140; ++rest) {
      expect_works(*key, front + rest, front, true);
      expect_works(*key, front + rest, front, false);
    }
  }
}

// In a burst, the lanes of one packet stand beside those of another.
TEST_P(ChachaPages, StaysWithinTheBuffersOfABurst) {
  const auto key = random_key(random_);
  std::vector<std::unique_ptr<LonePage>> pages;
  std::vector<AeadJob> jobs;
  std::vector<Bytes> plain;
  for (std::size_t i = 0; i < 30; ++i) {
    pages.push_back(std::make_unique<LonePage>());
    plain.push_back(random_bytes(random_, random_() % 400));
    const std::size_t size = plain[i].size() + kTagSize;
    std::uint8_t* const at = i % 2 == 0 ? pages[i]->last(size) : pages[i]->first();
    std::copy(plain[i].begin(), plain[i].end(), at);
    jobs.push_back({key.get(), at, at, static_cast<std::uint32_t>(plain[i].size()), i});
  }
  GetParam().seal(jobs.data(), jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const Bytes sealed = openssl_seal(*key, i, plain[i]);
    EXPECT_EQ(Bytes(jobs[i].out, jobs[i].out + sealed.size()), sealed);
  }
  GetParam().open(jobs.data(), jobs.size());
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    EXPECT_TRUE(jobs[i].ok);
    EXPECT_EQ(Bytes(jobs[i].out, jobs[i].out + plain[i].size()), plain[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, ChachaPages, testing::ValuesIn(kChachaKernels), name_of);

}  // namespace
}  // namespace ipop::engine
