// Something larger than a datagram on its way between peers, in parts, named by its digest: what
// arrives is what was asked for, or nothing. Bounded by what its kind may have. Pure; overlay
// thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace ipop::overlay {

using ContentDigest = std::array<std::uint8_t, 32>;  // BLAKE2b-256

[[nodiscard]] ContentDigest digest_of(ByteView content);

class Transfer {
 public:
  static constexpr std::size_t kPart = 1000;  // bytes of each part but the last
  static constexpr std::size_t kMostParts = 64;

  // `limit`: bytes that it may have in all, at most kPart * kMostParts.
  Transfer(const ContentDigest& digest, std::size_t limit) : digest_(digest), limit_(limit) {}

  // A part of `total` bytes. True if it was the last that was missing, and all is as it should be;
  // what is not begins again.
  [[nodiscard]] bool take(std::size_t total, unsigned index, ByteView bytes);

  [[nodiscard]] const ContentDigest& digest() const noexcept { return digest_; }
  // A bit for each part that is still to come; all of them until the size is known.
  [[nodiscard]] std::uint64_t missing() const noexcept { return missing_; }
  [[nodiscard]] const std::vector<std::uint8_t>& content() const noexcept { return content_; }

  Instant begun{};
  Instant asked{};  // when its sender was last asked

 private:
  ContentDigest digest_;
  std::size_t limit_;
  std::vector<std::uint8_t> content_;
  std::uint64_t missing_ = ~std::uint64_t{0};
};

}  // namespace ipop::overlay
