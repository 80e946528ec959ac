#include "packet_pool.hpp"

#include <gtest/gtest.h>
#include <rte_eal.h>
#include <rte_errno.h>

#include <array>
#include <cstring>
#include <string>

#include "engine/port/port.hpp"

namespace ipop::kni::testing {
namespace {

bool start_eal() {
  std::vector<std::string> words{"test_kni_tap",
                                 "--no-huge",
                                 "--no-shconf",
                                 "--no-pci",
                                 "--no-telemetry",
                                 "--file-prefix=test_kni_tap",
                                 "-m",
                                 "32",
                                 "--lcores=0",
                                 "--log-level=4"};
  std::vector<char*> arguments;
  for (std::string& word : words)
    arguments.push_back(word.data());
  if (rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) < 0) {
    ADD_FAILURE() << "rte_eal_init: " << rte_strerror(rte_errno);
    return false;
  }
  return true;
}

rte_mempool* make_pool(const char* name, unsigned size, std::uint16_t room) {
  static const bool started = start_eal();
  if (!started) return nullptr;
  constexpr auto kPrivate =
      static_cast<std::uint16_t>(RTE_ALIGN_CEIL(sizeof(engine::PacketMeta), RTE_MBUF_PRIV_ALIGN));
  rte_mempool* pool = rte_pktmbuf_pool_create(name, size, 0, kPrivate, room, SOCKET_ID_ANY);
  EXPECT_NE(pool, nullptr) << rte_strerror(rte_errno);
  return pool;
}

}  // namespace

rte_mempool* packet_pool() {
  static rte_mempool* const pool =
      make_pool("packets", kPoolSize, RTE_PKTMBUF_HEADROOM + kDataRoom);
  return pool;
}

rte_mempool* super_pool() {
  static rte_mempool* const pool = make_pool("supers", kSuperPoolSize, UINT16_MAX);
  return pool;
}

unsigned packets_in_use() {
  return packet_pool() == nullptr || super_pool() == nullptr
             ? 0
             : rte_mempool_in_use_count(packet_pool()) + rte_mempool_in_use_count(super_pool());
}

engine::HostFrame host_frame(Bytes& frame) {
  const bool v4 = frame.at(12) == 0x08;
  return {.first = {.at = frame.data(), .length = static_cast<std::uint32_t>(frame.size())},
          .size = static_cast<std::uint32_t>(frame.size()),
          .source = v4 ? IpAddress::v4_at(&frame.at(26)) : IpAddress::v6_at(&frame.at(22))};
}

Bytes to_bytes(const rte_mbuf* packet) {
  Bytes bytes;
  for (const rte_mbuf* part = packet; part != nullptr; part = part->next) {
    const auto* data = rte_pktmbuf_mtod(part, const std::uint8_t*);
    bytes.insert(bytes.end(), data, data + part->data_len);
  }
  return bytes;
}

}  // namespace ipop::kni::testing
