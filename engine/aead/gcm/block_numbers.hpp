// The number of a block is the last word of its counter block, in big endian. That of the packet
// (J0 of SP 800-38D §7.1, which covers the tag) is 1, the text's begin at 2.
#pragma once

#include <cstdint>

namespace ipop::engine::gcm {

struct BlockNumbers {
  // As many blocks as text can be numbered from: packets of Ethernet's size.
  static constexpr int kBlocks = 96;
  alignas(64) std::uint32_t words[kBlocks * 4];

  constexpr BlockNumbers() : words{} {
    for (int i = 0; i < kBlocks; ++i)
      words[4 * i + 3] = static_cast<std::uint32_t>(i + 2) << 24;
  }
};
static_assert(BlockNumbers::kBlocks + 1 < 256, "the numbers are one byte");
constexpr BlockNumbers kBlockNumbers;

}  // namespace ipop::engine::gcm
