#include "engine/aead/chacha256/chacha_poly.hpp"

#include "engine/aead/chacha256/chacha20.hpp"
#include "engine/aead/gcm/constant_time.hpp"

namespace ipop::engine::chacha256 {
namespace {

enum class Work { kSeal, kOpen };

constexpr std::size_t kMostJobs = 64;

// Block 0 "encrypts" these to the Poly1305 key (§2.6), as if it were text.
alignas(32) constexpr std::uint8_t kZeros[kBlock] = {};

// Up to kMostJobs jobs from their blocks to their tags.
template <Work kWork>
class Burst {
 public:
  [[gnu::always_inline]] Burst(AeadJob* jobs, std::size_t count)
      : jobs_(jobs), count_(count), tags_(messages_) {}

  [[gnu::always_inline]] void run() {
    if constexpr (kWork == Work::kSeal) {
      seal();
    } else {
      open();
    }
    while (tags_.busy())
      tags_.step();
    for (std::size_t i = 0; i < count_; ++i)
      finish(jobs_[i], messages_[i]);
  }

 private:
  // The blocks of a packet one behind another, the tags of those that are complete beside the next.
  [[gnu::always_inline]] void seal() {
    std::size_t complete = 0;
    std::size_t keyed = 0;
    while (texted_ < count_) {
      while (pass_.used < kBlocks && texted_ < count_) {
        if (keyed == texted_) put_key(keyed++);
        put_text();
      }
      crypt_pass(pass_, tags_);
      pass_.used = 0;
      for (; complete < texted_; ++complete)
        authenticate(complete, jobs_[complete].out);
    }
  }

  // All keys; then the text of a packet behind its tag, as in place the ciphertext is gone by that.
  [[gnu::always_inline]] void open() {
    std::size_t keyed = 0;
    for (std::size_t before = 0; keyed < count_;) {
      while (pass_.used < kBlocks && keyed < count_)
        put_key(keyed++);
      crypt_pass(pass_, tags_);
      pass_.used = 0;
      for (; before < keyed; ++before)
        authenticate(before, jobs_[before].in);
    }
    while (texted_ < count_) {
      while (pass_.used < kBlocks && texted_ < count_) {
        while (!messages_[texted_].done)
          tags_.step();
        put_text();
      }
      if (pass_.used != 0) crypt_pass(pass_, tags_);
      pass_.used = 0;
    }
  }

  [[gnu::always_inline]] void authenticate(std::size_t at, const std::uint8_t* text) {
    messages_[at].start(text, jobs_[at].length);
    tags_.offer();
  }

  [[gnu::always_inline]] std::size_t put(const AeadJob& job, std::uint32_t number) {
    const std::size_t at = pass_.used++;
    pass_.last_row[at][0] = number;
    pass_.last_row[at][1] = job.key->salt;
    pass_.last_row[at][2] = static_cast<std::uint32_t>(job.counter);
    pass_.last_row[at][3] = static_cast<std::uint32_t>(job.counter >> 32);
    pass_.key[at] = job.key->storage();
    return at;
  }

  [[gnu::always_inline]] void put_key(std::size_t index) {
    const std::size_t at = put(jobs_[index], 0);
    pass_.in[at] = kZeros;
    pass_.out[at] = messages_[index].key;
    pass_.size[at] = kBlock;
  }

  // Blocks of the next packet, until they or the places come to an end.
  [[gnu::always_inline]] void put_text() {
    const AeadJob& job = jobs_[texted_];
    while (offset_ < job.length && pass_.used < kBlocks) {
      const std::size_t at = put(job, static_cast<std::uint32_t>(offset_ / kBlock + 1));
      const std::size_t left = job.length - offset_;
      pass_.size[at] = left < kBlock ? left : kBlock;
      pass_.in[at] = job.in - job.front_length + offset_;
      pass_.out[at] = job.out + offset_;
      if (offset_ < job.front_length) join(at, job);
      offset_ += kBlock;
    }
    if (offset_ < job.length) return;
    offset_ = 0;
    ++texted_;
  }

  // A block that begins in the front.
  [[gnu::always_inline]] void join(std::size_t at, const AeadJob& job) {
    std::uint8_t* const block = pass_.joined[at];
    const std::size_t in_front = job.front_length - offset_;
    if (in_front >= kBlock) {
      pass_.in[at] = job.front + offset_;
      return;
    }
    copy_below<kBlock>(block, job.front + offset_, in_front);
    copy_below<kBlock>(block + in_front, job.in, pass_.size[at] - in_front);
    pass_.in[at] = block;
  }

  [[gnu::always_inline]] static void finish(AeadJob& job, const Message& message) {
    std::uint64_t tag[2];
    message.make_tag(tag);
    if constexpr (kWork == Work::kSeal) {
      store64(job.out + job.length, tag[0]);
      store64(job.out + job.length + 8, tag[1]);
      job.ok = true;
    } else {
      const std::uint8_t* const expected = job.in + job.length;
      std::uint64_t difference = (tag[0] ^ load64(expected)) | (tag[1] ^ load64(expected + 8));
      make_public(difference);
      job.ok = difference == 0;
    }
  }

  AeadJob* jobs_;
  std::size_t count_;
  std::size_t texted_ = 0;  // jobs whose text was taken as a whole
  std::size_t offset_ = 0;  // so many bytes of the next job were taken
  Message messages_[kMostJobs];
  Authenticator tags_;
  Pass pass_;
};

template <Work kWork>
[[gnu::always_inline]] inline void run(AeadJob* jobs, std::size_t count) {
  for (std::size_t at = 0; at < count; at += kMostJobs) {
    const std::size_t left = count - at;
    Burst<kWork>(jobs + at, left < kMostJobs ? left : kMostJobs).run();
  }
}

}  // namespace

void seal_chacha_poly(AeadJob* jobs, std::size_t count) noexcept {
  run<Work::kSeal>(jobs, count);
}

void open_chacha_poly(AeadJob* jobs, std::size_t count) noexcept {
  run<Work::kOpen>(jobs, count);
}

}  // namespace ipop::engine::chacha256
