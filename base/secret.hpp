// Key material that is wiped when it goes away. `Secret<N>` is a value for keys that come by the
// thousand (session keys); long-lived private keys are kept in guarded pages (`GuardedSecret<N>`).
// Neither prints, compares in variable time, nor converts by itself.
#pragma once

#include <sodium.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>

#include "base/bytes.hpp"

namespace ipop {

template <std::size_t N>
class Secret {
 public:
  static constexpr std::size_t kSize = N;

  Secret() noexcept = default;
  explicit Secret(std::span<const std::uint8_t, N> bytes) noexcept {
    std::memcpy(bytes_.data(), bytes.data(), N);
  }
  Secret(const Secret&) noexcept = default;
  Secret& operator=(const Secret&) noexcept = default;
  ~Secret() { sodium_memzero(bytes_.data(), N); }

  [[nodiscard]] static Secret random() noexcept {
    Secret secret;
    randombytes_buf(secret.bytes_.data(), N);
    return secret;
  }

  [[nodiscard]] std::span<std::uint8_t, N> bytes() noexcept { return bytes_; }
  [[nodiscard]] std::span<const std::uint8_t, N> bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint8_t* data() noexcept { return bytes_.data(); }
  [[nodiscard]] const std::uint8_t* data() const noexcept { return bytes_.data(); }

  [[nodiscard]] bool is_zero() const noexcept { return sodium_is_zero(bytes_.data(), N) == 1; }

  // Constant time.
  friend bool operator==(const Secret& a, const Secret& b) noexcept {
    return sodium_memcmp(a.bytes_.data(), b.bytes_.data(), N) == 0;
  }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

// One secret on pages of its own: locked in memory, between guard pages, left out of core dumps
// (sodium_malloc). Movable, not copyable. Throws std::bad_alloc if no such page is to be had.
template <std::size_t N>
class GuardedSecret {
 public:
  GuardedSecret() : bytes_(static_cast<std::uint8_t*>(sodium_malloc(N))) {
    if (bytes_ == nullptr) throw std::bad_alloc();
    std::memset(bytes_.get(), 0, N);
  }

  [[nodiscard]] std::span<std::uint8_t, N> bytes() noexcept {
    return std::span<std::uint8_t, N>(bytes_.get(), N);
  }
  [[nodiscard]] std::span<const std::uint8_t, N> bytes() const noexcept {
    return std::span<const std::uint8_t, N>(bytes_.get(), N);
  }

 private:
  struct Free {
    void operator()(std::uint8_t* at) const noexcept { sodium_free(at); }
  };
  std::unique_ptr<std::uint8_t[], Free> bytes_;
};

}  // namespace ipop
