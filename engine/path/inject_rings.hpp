// The way down from the overlay thread to all lcores: each order goes to the one that can carry it
// out, or to all. Overlay thread.
#pragma once

#include <vector>

#include "engine/path/inject_ring.hpp"
#include "engine/table/dpdk_forwarding_table.hpp"

namespace ipop::engine {

class InjectRings final : public Injector {
 public:
  // At least one, in the order of the lcores. All outlive this.
  InjectRings(std::vector<InjectRing*> rings, const SessionTable& sessions)
      : rings_(std::move(rings)), sessions_(sessions) {}

  // By the first lcore: further sockets are its own.
  bool send_datagram(const Endpoint& to, ByteView bytes) override {
    return rings_.front()->send_datagram(to, bytes);
  }
  // By the lcore that has the first of the peer's lanes.
  bool send_sealed(ReceiverIndex session, ByteView plaintext,
                   std::optional<Endpoint> via = std::nullopt) override;
  bool retry_staged() override;
  bool reject_staged(const IpAddress& address, RejectReason reason) override;

  // Anybody.
  [[nodiscard]] std::uint64_t accepted() const noexcept;
  [[nodiscard]] std::uint64_t refused() const noexcept;

 private:
  std::vector<InjectRing*> rings_;
  const SessionTable& sessions_;
};

}  // namespace ipop::engine
