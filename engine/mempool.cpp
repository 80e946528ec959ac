#include "engine/mempool.hpp"

#include <rte_errno.h>
#include <rte_mbuf.h>

#include <algorithm>
#include <atomic>
#include <stdexcept>
#include <string>

#include "engine/port/port.hpp"

namespace ipop::engine {
namespace {

constexpr std::uint32_t kCache = 256;
constexpr std::uint32_t kSmallestRoom = 2048;

std::uint16_t private_size() noexcept {
  return static_cast<std::uint16_t>(RTE_ALIGN(sizeof(PacketMeta), RTE_MBUF_PRIV_ALIGN));
}

std::uint32_t data_room(const PoolSettings& settings) noexcept {
  const std::uint32_t room = std::max(settings.largest_packet + kPacketOverhead, kSmallestRoom);
  const std::uint32_t aligned = RTE_PKTMBUF_HEADROOM + RTE_ALIGN(room, RTE_CACHE_LINE_SIZE);
  // The largest that an mbuf can say.
  return room <= UINT16_MAX - RTE_PKTMBUF_HEADROOM ? std::min<std::uint32_t>(aligned, UINT16_MAX)
                                                   : aligned;
}

// Has the kernel give every page now: a first touch later would be a page fault on an lcore, and
// the process would seem to grow under load.
void touch(rte_mempool*, void*, rte_mempool_memhdr* chunk, unsigned) noexcept {
  constexpr std::size_t kSmallestPage = 4096;
  auto* const bytes = static_cast<volatile std::uint8_t*>(chunk->addr);
  for (std::size_t at = 0; at < chunk->len; at += kSmallestPage)
    bytes[at] = bytes[at];
  bytes[chunk->len - 1] = bytes[chunk->len - 1];
}

}  // namespace

Mempool::Mempool(const PoolSettings& settings) {
  const std::uint32_t room = data_room(settings);
  if (room > UINT16_MAX) throw std::runtime_error("packet buffers are limited to 64 KiB");
  static std::atomic<unsigned> made{0};
  const std::string name = "ipop-packets-" + std::to_string(made++);
  // The ring in relaxed tail synchronisation: a thread that is preempted while it takes buffers
  // does not make the others spin until it runs again.
  pool_ = rte_pktmbuf_pool_create_by_ops(
      name.c_str(), settings.packets, std::min(kCache, settings.packets / 8), private_size(),
      static_cast<std::uint16_t>(room), SOCKET_ID_ANY, "ring_mt_rts");
  if (pool_ == nullptr) {
    throw std::runtime_error("no memory for " + std::to_string(settings.packets) +
                             " packet buffers (" + std::string(rte_strerror(rte_errno)) +
                             "): raise engine.memory_mb");
  }
  rte_mempool_mem_iter(pool_, touch, nullptr);
}

Mempool::~Mempool() {
  rte_mempool_free(pool_);
}

std::uint32_t Mempool::size() const noexcept {
  return pool_->size;
}

std::uint32_t Mempool::available() const noexcept {
  return rte_mempool_avail_count(pool_);
}

std::size_t Mempool::memory(const PoolSettings& settings) noexcept {
  constexpr std::size_t kPerObject = 2 * RTE_CACHE_LINE_SIZE + 16;  // header, padding, ring slot
  constexpr std::size_t kFixed = std::size_t{2} << 20;              // caches of all lcores
  // Without huge pages an object that fits a page does not go beyond it, and a larger one begins
  // with a page.
  constexpr std::size_t kPage = 4096;
  const std::size_t each = sizeof(rte_mbuf) + private_size() + data_room(settings) + kPerObject;
  const std::size_t taken =
      each <= kPage ? kPage / (kPage / each) : RTE_ALIGN_CEIL(each, kPage) + kPerObject;
  return kFixed + settings.packets * taken;
}

}  // namespace ipop::engine
