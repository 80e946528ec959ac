// Byte spans, fixed-endian loads and stores, and a bounded reader and writer for wire formats.
// Any thread. Nothing here allocates, and nothing reads or writes past the span it was given.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace ipop {

using ByteView = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

template <std::unsigned_integral T>
[[nodiscard]] constexpr T swap_bytes(T value) noexcept {
  if constexpr (sizeof(T) == 1) {
    return value;
  } else if constexpr (sizeof(T) == 2) {
    return __builtin_bswap16(value);
  } else if constexpr (sizeof(T) == 4) {
    return __builtin_bswap32(value);
  } else {
    return __builtin_bswap64(value);
  }
}

// Unaligned loads and stores. The pointer must have sizeof(T) readable or writable bytes.
template <std::unsigned_integral T>
[[nodiscard]] inline T load_le(const std::uint8_t* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  return std::endian::native == std::endian::little ? value : swap_bytes(value);
}

template <std::unsigned_integral T>
[[nodiscard]] inline T load_be(const std::uint8_t* at) noexcept {
  T value;
  std::memcpy(&value, at, sizeof value);
  return std::endian::native == std::endian::big ? value : swap_bytes(value);
}

template <std::unsigned_integral T>
inline void store_le(std::uint8_t* at, T value) noexcept {
  if constexpr (std::endian::native == std::endian::big) value = swap_bytes(value);
  std::memcpy(at, &value, sizeof value);
}

template <std::unsigned_integral T>
inline void store_be(std::uint8_t* at, T value) noexcept {
  if constexpr (std::endian::native == std::endian::little) value = swap_bytes(value);
  std::memcpy(at, &value, sizeof value);
}

// Reads a wire format front to back. A read past the end returns zero or an empty span and makes
// `ok()` false for good, so that a parser checks once, at its end.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) noexcept : rest_(bytes) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t remaining() const noexcept { return rest_.size(); }
  [[nodiscard]] ByteView rest() const noexcept { return rest_; }

  template <std::unsigned_integral T>
  [[nodiscard]] T le() noexcept {
    const ByteView field = bytes(sizeof(T));
    return ok_ ? load_le<T>(field.data()) : T{};
  }

  template <std::unsigned_integral T>
  [[nodiscard]] T be() noexcept {
    const ByteView field = bytes(sizeof(T));
    return ok_ ? load_be<T>(field.data()) : T{};
  }

  [[nodiscard]] std::uint8_t u8() noexcept { return le<std::uint8_t>(); }

  [[nodiscard]] ByteView bytes(std::size_t count) noexcept {
    if (!ok_ || count > rest_.size()) {
      ok_ = false;
      return {};
    }
    const ByteView field = rest_.first(count);
    rest_ = rest_.subspan(count);
    return field;
  }

  // Copies exactly `into.size()` bytes, or leaves `into` as it was and fails.
  void copy(MutableBytes into) noexcept {
    const ByteView field = bytes(into.size());
    if (ok_ && !into.empty()) std::memcpy(into.data(), field.data(), into.size());
  }

 private:
  ByteView rest_;
  bool ok_ = true;
};

// Writes a wire format front to back into a buffer of fixed size. A write past the end is not done
// and makes `ok()` false for good.
class ByteWriter {
 public:
  explicit ByteWriter(MutableBytes buffer) noexcept : buffer_(buffer) {}

  [[nodiscard]] bool ok() const noexcept { return ok_; }
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  [[nodiscard]] MutableBytes written() const noexcept { return buffer_.first(size_); }

  template <std::unsigned_integral T>
  void le(T value) noexcept {
    if (MutableBytes field = reserve(sizeof(T)); ok_) store_le<T>(field.data(), value);
  }

  template <std::unsigned_integral T>
  void be(T value) noexcept {
    if (MutableBytes field = reserve(sizeof(T)); ok_) store_be<T>(field.data(), value);
  }

  void u8(std::uint8_t value) noexcept { le(value); }

  void bytes(ByteView source) noexcept {
    MutableBytes field = reserve(source.size());
    if (ok_ && !source.empty()) std::memcpy(field.data(), source.data(), source.size());
  }

  // `count` bytes for the caller to fill; empty, and `ok()` false, if they do not fit.
  [[nodiscard]] MutableBytes reserve(std::size_t count) noexcept {
    if (!ok_ || count > buffer_.size() - size_) {
      ok_ = false;
      return {};
    }
    const MutableBytes field = buffer_.subspan(size_, count);
    size_ += count;
    return field;
  }

 private:
  MutableBytes buffer_;
  std::size_t size_ = 0;
  bool ok_ = true;
};

}  // namespace ipop
