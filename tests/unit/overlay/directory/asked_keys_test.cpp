#include "overlay/directory/asked_keys.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr Instant kStart{100h};

DirectoryKey key(std::uint32_t number) {
  DirectoryKey made;
  store_le(made.bytes.data(), number);
  return made;
}

TEST(AskedKeys, AdmitsABoundedNumber) {
  AskedKeys asked;
  for (std::uint32_t i = 0; i < AskedKeys::kMost; ++i)
    EXPECT_TRUE(asked.admit(key(i), kStart + i * 1ms));
  EXPECT_FALSE(asked.admit(key(AskedKeys::kMost), kStart + 20s));
  EXPECT_TRUE(asked.admit(key(7), kStart + 20s)) << "one of them";
}

TEST(AskedKeys, ForgetsThoseThatWereNotAskedForLately) {
  AskedKeys asked;
  for (std::uint32_t i = 0; i < AskedKeys::kMost; ++i)
    static_cast<void>(asked.admit(key(i), kStart));
  static_cast<void>(asked.admit(key(0), kStart + 60min));
  EXPECT_FALSE(asked.admit(key(AskedKeys::kMost), kStart + 64min));
  EXPECT_TRUE(asked.admit(key(AskedKeys::kMost), kStart + AskedKeys::kKeptFor));
  // All but one have gone.
  for (std::uint32_t i = 1; i < AskedKeys::kMost - 1; ++i)
    EXPECT_TRUE(asked.admit(key(100'000 + i), kStart + AskedKeys::kKeptFor));
  EXPECT_FALSE(asked.admit(key(1), kStart + AskedKeys::kKeptFor));
}

}  // namespace
}  // namespace ipop::overlay
