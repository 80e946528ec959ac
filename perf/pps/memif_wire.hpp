// A DPDK port of shared memory (net_memif), a client as beside a switch; the server is another port
// of this process, over a socket in a folder of its own. The driver copies each frame on its way
// into that memory, and out of it.
#pragma once

#include <filesystem>

#include "perf/pps/ethdev_wire.hpp"

namespace ipop::perf {

class MemifWire final : public EthdevWire {
 public:
  static constexpr const char* kName = "net_memif";

  MemifWire();
  ~MemifWire() override;

 private:
  [[nodiscard]] std::uint16_t take_frames(std::span<rte_mbuf*> into) noexcept override;
  void give_frames(std::span<rte_mbuf* const> frames) noexcept override;
  void start_far_end(rte_mempool* pool) override;
  void await_link(rte_mempool* pool) override;

  std::filesystem::path folder_;
  std::uint16_t far_ = 0;  // the server's port
};

}  // namespace ipop::perf
