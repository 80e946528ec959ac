#include "overlay/peer/transfer.hpp"

#include <sodium.h>

#include <algorithm>

namespace ipop::overlay {

ContentDigest digest_of(ByteView content) {
  ContentDigest digest;
  crypto_generichash(digest.data(), digest.size(), content.data(), content.size(), nullptr, 0);
  return digest;
}

bool Transfer::take(std::size_t total, unsigned index, ByteView bytes) {
  if (total == 0 || total > limit_ || total > kPart * kMostParts) return false;
  const std::size_t parts = (total + kPart - 1) / kPart;
  if (index >= parts) return false;
  const std::size_t begin = index * kPart;
  if (bytes.size() != std::min(kPart, total - begin)) return false;
  if (content_.size() != total) {
    // The first part says how much there is; one that says otherwise begins anew.
    content_.assign(total, 0);
    missing_ = parts == kMostParts ? ~std::uint64_t{0} : (std::uint64_t{1} << parts) - 1;
  }
  std::ranges::copy(bytes, content_.begin() + static_cast<std::ptrdiff_t>(begin));
  missing_ &= ~(std::uint64_t{1} << index);
  if (missing_ != 0) return false;
  if (digest_of(content_) == digest_) return true;
  content_.clear();
  missing_ = ~std::uint64_t{0};
  return false;
}

}  // namespace ipop::overlay
