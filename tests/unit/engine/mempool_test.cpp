#include "engine/mempool.hpp"

#include <gtest/gtest.h>
#include <rte_mbuf.h>
#include <sys/resource.h>

#include <cstring>
#include <vector>

#include "engine/eal.hpp"

namespace ipop::engine {
namespace {

long page_faults() {
  rusage usage{};
  EXPECT_EQ(getrusage(RUSAGE_THREAD, &usage), 0);
  return usage.ru_minflt;
}

TEST(Mempool, GivesBuffersWhosePagesAreThereAlready) {
  start_eal({});
  constexpr PoolSettings kSettings{.packets = 127, .largest_packet = kSuperPool.largest_packet};
  const Mempool pool(kSettings);
  std::vector<rte_mbuf*> buffers(pool.size());
  ASSERT_EQ(rte_pktmbuf_alloc_bulk(pool.get(), buffers.data(), pool.size()), 0);
  const long before = page_faults();
  for (rte_mbuf* buffer : buffers)
    std::memset(buffer->buf_addr, 1, buffer->buf_len);
  const long faults = page_faults() - before;
  rte_pktmbuf_free_bulk(buffers.data(), pool.size());
  EXPECT_LT(faults, 16) << "of " << pool.size() * kSettings.largest_packet / 4096 << " pages";
}

}  // namespace
}  // namespace ipop::engine
