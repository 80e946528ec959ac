// A burst of random packets: keys, counters, lengths, places in memory, fronts and damage. Throws
// std::runtime_error with what has to be known to repeat it as soon as two disagree.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/aead/aead.hpp"

namespace ipop::engine {

class OneBurst {
 public:
  OneBurst(AeadEngine& kernels, AeadEngine& library, std::uint64_t seed);

  void run();
  [[nodiscard]] std::uint64_t packets() const { return packets_; }
  [[nodiscard]] std::uint64_t damaged() const { return damaged_; }

 private:
  static constexpr std::size_t kKeys = 6;
  static constexpr std::size_t kMostJobs = 64;
  static constexpr std::size_t kLongest = 9000;
  static constexpr std::size_t kGuard = 64;  // bytes around what may be written
  static constexpr std::size_t kRoom = kLongest + kTagSize + 3 * kGuard;

  struct Key {
    std::array<std::uint8_t, 32> raw;
    AeadSuite suite;
    AeadKey of_kernels;
    AeadKey of_library;
  };
  struct Packet {
    std::size_t key;
    std::uint32_t length;
    std::uint32_t front;
    std::size_t shift;
    std::uint64_t counter;
    bool in_place;
    bool damaged;
    const std::uint8_t* text;
  };
  struct Free {
    void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
  };

  std::uint64_t random();
  void change_keys();
  std::uint32_t choose_length(std::uint64_t kind);
  void choose();
  void seal();
  void check_sealed(std::size_t i);
  void open();
  void check_opened(std::size_t i);
  void openssl_begin(const Packet& packet, int encrypt);
  void openssl_seal(const Packet& packet, std::uint8_t* out);
  bool openssl_open(const Packet& packet, const std::uint8_t* in, std::uint8_t* out);
  [[noreturn]] void fail(const Packet& packet, const char* what) const;

  // Of packet i: what is read, what the kernels write, what the others do.
  std::uint8_t* at(std::vector<std::uint8_t>& rooms, std::size_t i) {
    return &rooms[i * kRoom + kGuard + jobs_[i].shift];
  }

  AeadEngine& kernels_;
  AeadEngine& library_;
  std::uint64_t state_;
  std::uint64_t packets_ = 0;
  std::uint64_t damaged_ = 0;
  std::array<Key, kKeys> keys_;
  std::unique_ptr<EVP_CIPHER_CTX, Free> openssl_{EVP_CIPHER_CTX_new()};
  std::vector<std::uint8_t> pool_;
  std::vector<std::uint8_t> in_ = std::vector<std::uint8_t>(kMostJobs * kRoom);
  std::vector<std::uint8_t> out_ = std::vector<std::uint8_t>(kMostJobs * kRoom);
  std::vector<std::uint8_t> other_ = std::vector<std::uint8_t>(kMostJobs * kRoom);
  std::vector<std::uint8_t> fronts_ = std::vector<std::uint8_t>(kMostJobs * kRoom);
  std::vector<std::uint8_t> judge_ = std::vector<std::uint8_t>(kRoom);
  std::vector<Packet> jobs_;
};

}  // namespace ipop::engine
