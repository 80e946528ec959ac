#include "engine/table/host_table.hpp"

#include <rte_errno.h>
#include <rte_hash_crc.h>
#include <sodium.h>

#include <algorithm>
#include <stdexcept>
#include <string>

namespace ipop::engine {
namespace {

constexpr std::uint32_t kFirstCapacity = 1024;
constexpr std::uint32_t kGrowth = 4;

void* to_data(PeerIndex peer) noexcept {
  return reinterpret_cast<void*>(static_cast<std::uintptr_t>(peer));
}

// The largest table is a little larger than what may be in it: the places of removed hosts come
// free only when no lcore can see them any more, and until then others must find room.
constexpr std::uint32_t with_slack(std::uint32_t max_hosts) noexcept {
  return max_hosts + max_hosts / 8;
}

constexpr std::uint32_t next_capacity(std::uint64_t wanted, std::uint32_t max_hosts) noexcept {
  return wanted >= max_hosts ? with_slack(max_hosts) : static_cast<std::uint32_t>(wanted);
}

PeerIndex from_data(const void* data) noexcept {
  return PeerIndex{static_cast<std::uint32_t>(reinterpret_cast<std::uintptr_t>(data))};
}

}  // namespace

HostTable::HostTable(std::uint32_t max_hosts, Reclaimer& reclaimer)
    : max_hosts_(max_hosts),
      seed_(randombytes_random()),
      reclaimer_(reclaimer),
      capacity_(next_capacity(kFirstCapacity, max_hosts)) {
  Hash hash = make(capacity_);
  if (!hash) {
    throw std::runtime_error("no memory for the table of hosts (" +
                             std::string(rte_strerror(rte_errno)) + "): raise engine.memory_mb");
  }
  hash_.store(hash.release(), std::memory_order_release);
}

HostTable::~HostTable() {
  rte_hash_free(hash_.load(std::memory_order_relaxed));
}

HostTable::Hash HostTable::make(std::uint32_t entries) const {
  static std::atomic<unsigned> made{0};
  const std::string name = "ipop-hosts-" + std::to_string(made++);
  rte_hash_parameters parameters{};
  parameters.name = name.c_str();
  parameters.entries = std::max(entries, 8u);
  parameters.key_len = sizeof(IpAddress);
  parameters.hash_func = rte_hash_crc;
  parameters.hash_func_init_val = seed_;
  parameters.socket_id = SOCKET_ID_ANY;
  // With the extension table no set of keys, however chosen, fails to fit below the capacity.
  parameters.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF | RTE_HASH_EXTRA_FLAGS_EXT_TABLE;
  return Hash(rte_hash_create(&parameters));
}

bool HostTable::grow() {
  if (capacity_ >= max_hosts_) return false;
  const std::uint32_t larger = next_capacity(std::uint64_t{capacity_} * kGrowth, max_hosts_);
  Hash next = make(larger);
  if (!next) return false;
  rte_hash* const present = hash_.load(std::memory_order_relaxed);
  const void* key = nullptr;
  void* data = nullptr;
  std::uint32_t position = 0;
  while (rte_hash_iterate(present, &key, &data, &position) >= 0) {
    if (rte_hash_add_key_data(next.get(), key, data) != 0) return false;
  }
  capacity_ = larger;
  hash_.store(next.release(), std::memory_order_release);
  reclaimer_.defer([old = Hash(present)] {});
  return true;
}

bool HostTable::add(const IpAddress& host, PeerIndex peer) {
  if (size_ == max_hosts_) return false;
  const void* const key = host.bytes().data();
  const auto try_add = [&] {
    return rte_hash_add_key_data(hash_.load(std::memory_order_relaxed), key, to_data(peer)) == 0;
  };
  // Positions of removed hosts may wait for lcores: first look whether some came free.
  bool added = try_add();
  if (!added) {
    reclaimer_.run();
    added = try_add() || (grow() && try_add());
  }
  if (added) ++size_;
  return added;
}

void HostTable::remove(const IpAddress& host) {
  rte_hash* const hash = hash_.load(std::memory_order_relaxed);
  const std::int32_t position = rte_hash_del_key(hash, host.bytes().data());
  if (position < 0) return;
  --size_;
  // Should the table grow meanwhile, `hash` is freed after this has run: releases keep their order.
  reclaimer_.defer([hash, position] { rte_hash_free_key_with_position(hash, position); });
}

PeerIndex HostTable::find(const IpAddress& host) const noexcept {
  void* data = nullptr;
  const rte_hash* const hash = hash_.load(std::memory_order_acquire);
  return rte_hash_lookup_data(hash, host.bytes().data(), &data) >= 0 ? from_data(data) : kNoPeer;
}

void HostTable::find_bulk(std::span<const IpAddress* const> hosts, PeerIndex* into) const noexcept {
  const void* keys[kMaxBulk];
  void* data[kMaxBulk];
  const auto count = static_cast<std::uint32_t>(hosts.size());
  for (std::uint32_t i = 0; i < count; ++i)
    keys[i] = hosts[i]->bytes().data();
  std::uint64_t hits = 0;
  const rte_hash* const hash = hash_.load(std::memory_order_acquire);
  if (rte_hash_lookup_bulk_data(hash, keys, count, &hits, data) < 0) hits = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    into[i] = (hits >> i & 1) != 0 ? from_data(data[i]) : kNoPeer;
  }
}

std::size_t HostTable::memory(std::uint32_t max_hosts) noexcept {
  // A key slot (32), a free-slot ring entry (4 to 8, rounded up to a power of two), and buckets of
  // 64 bytes for 8 entries, twice over for the extension table; and the table grown from.
  constexpr std::size_t kPerHost = 32 + 16 + 64;
  return std::size_t{with_slack(max_hosts)} * kPerHost * 3 / 2 + (std::size_t{1} << 20);
}

}  // namespace ipop::engine
