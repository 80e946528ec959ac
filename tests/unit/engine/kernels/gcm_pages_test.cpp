// The AES-256-GCM kernels at the edge of what is mapped: they read and write not one byte more than
// AeadJob says, in front or behind.
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <stdexcept>

#include "tests/unit/engine/kernels/gcm_reference.hpp"

namespace ipop::engine::gcm {
namespace {

// Two pages, with one on each side that nobody may touch.
class GuardedPages {
 public:
  GuardedPages() : page_(static_cast<std::size_t>(sysconf(_SC_PAGESIZE))) {
    void* const at = mmap(nullptr, 4 * page_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at == MAP_FAILED) throw std::runtime_error("no pages");
    start_ = static_cast<std::uint8_t*>(at);
    if (mprotect(start_ + page_, 2 * page_, PROT_READ | PROT_WRITE) != 0)
      throw std::runtime_error("no access to pages");
  }
  GuardedPages(const GuardedPages&) = delete;
  GuardedPages& operator=(const GuardedPages&) = delete;
  ~GuardedPages() { munmap(start_, 4 * page_); }

  // Room of so many bytes, at the front edge or at the one behind.
  [[nodiscard]] std::uint8_t* room(std::size_t size, bool at_end) const {
    return at_end ? start_ + 3 * page_ - size : start_ + page_;
  }

 private:
  std::size_t page_;
  std::uint8_t* start_ = nullptr;
};

class GcmPages : public OfFamily {
 protected:
  void SetUp() override {
    OfFamily::SetUp();
    if (IsSkipped()) return;
    // Only now: they are expanded by the kernel's own instructions.
    for (auto& key : keys_)
      key = std::make_unique<Key>(random_);
  }

  // Four packets of one length, each buffer at an edge, or one.
  void expect_stays_inside(std::size_t length, std::size_t front, std::size_t count, bool at_end) {
    std::vector<Bytes> plain;
    std::vector<Bytes> sealed;
    std::vector<AeadJob> jobs;
    for (std::size_t i = 0; i < count; ++i) {
      plain.push_back(random_bytes(random_, length));
      sealed.push_back(openssl_seal(*keys_[i % 2], i, plain.back()));
      std::uint8_t* const head = fronts_[i].room(front, at_end);
      std::uint8_t* const in = ins_[i].room(length - front, at_end);
      if (front != 0) std::memcpy(head, plain.back().data(), front);
      if (length != front) std::memcpy(in, plain.back().data() + front, length - front);
      jobs.push_back({.key = &keys_[i % 2]->expanded,
                      .in = in,
                      .out = outs_[i].room(length + kTagSize, at_end),
                      .length = static_cast<std::uint32_t>(length),
                      .counter = i,
                      .front = head,
                      .front_length = static_cast<std::uint32_t>(front)});
    }
    seal_gcm(jobs.data(), count);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(std::memcmp(outs_[i].room(length + kTagSize, at_end), sealed[i].data(),
                            length + kTagSize),
                0)
          << length << " bytes, front " << front;
      std::uint8_t* const in = ins_[i].room(length + kTagSize, at_end);
      std::memcpy(in, sealed[i].data(), length + kTagSize);
      jobs[i] = {.key = jobs[i].key,
                 .in = in,
                 .out = outs_[i].room(length, at_end),
                 .length = static_cast<std::uint32_t>(length),
                 .counter = i};
    }
    open_gcm(jobs.data(), count);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_TRUE(jobs[i].ok) << length << " bytes";
      if (length == 0) continue;
      ASSERT_EQ(std::memcmp(outs_[i].room(length, at_end), plain[i].data(), length), 0);
    }
  }

  std::mt19937_64 random_{20'26};
  std::array<std::unique_ptr<Key>, 2> keys_;
  std::array<GuardedPages, 4> ins_;
  std::array<GuardedPages, 4> outs_;
  std::array<GuardedPages, 4> fronts_;
};

TEST_P(GcmPages, ReadsAndWritesNothingOutsideOfPackets) {
  for (const bool at_end : {false, true}) {
    for (std::size_t length = 0; length <= 1600; length += length < 330 ? 1 : 7) {
      for (const std::size_t count : {std::size_t{1}, std::size_t{4}}) {
        expect_stays_inside(length, 0, count, at_end);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST_P(GcmPages, ReadsNothingOutsideOfFronts) {
  for (const bool at_end : {false, true}) {
    for (const std::size_t behind : {0u, 1u, 40u, 64u, 130u, 250u, 600u, 1400u}) {
      for (std::size_t front = 1; front <= 160; ++front) {
        expect_stays_inside(front + behind, front, 4, at_end);
        if (HasFatalFailure()) return;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Aead, GcmPages, testing::ValuesIn(kFamilies), OfFamily::title);

}  // namespace
}  // namespace ipop::engine::gcm
