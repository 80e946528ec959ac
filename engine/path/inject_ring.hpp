// The way down from the overlay thread to one lcore: a bounded ring of orders. The overlay puts in,
// the lcore takes out, and is woken if it sleeps.
#pragma once

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <cstdint>

#include "engine/api/inject.hpp"
#include "engine/bell.hpp"
#include "engine/owned_counter.hpp"
#include "engine/ring.hpp"

namespace ipop::engine {

enum class OrderKind : std::uint8_t { kDatagram, kSealed, kSealedVia, kRetry, kReject };

struct Order {
  rte_mbuf* packet = nullptr;  // its meta() says where to, unless kSealed
  IpAddress address;           // kReject
  ReceiverIndex session = kNoReceiver;
  OrderKind kind = OrderKind::kRetry;
  RejectReason reason = RejectReason::kHostUnreachable;
};
static_assert(sizeof(Order) % 4 == 0, "rte_ring copies whole words");

class InjectRing final : public Injector {
 public:
  static constexpr std::uint32_t kOrders = 1024;
  static constexpr std::size_t kMaxDatagram = 1452;
  static constexpr std::size_t kMaxPlaintext = 1400;

  // Throws std::runtime_error. EAL must run; `pool` and the lcore's `bell` outlive this.
  InjectRing(rte_mempool* pool, Bell& bell);
  // Frees what was not taken: both threads must have stopped.
  ~InjectRing() override;

  // Overlay thread.
  bool send_datagram(const Endpoint& to, ByteView bytes) override;
  bool send_sealed(ReceiverIndex session, ByteView plaintext,
                   std::optional<Endpoint> via = std::nullopt) override;
  bool retry_staged() override;
  bool reject_staged(const IpAddress& address, RejectReason reason) override;

  // Anybody.
  [[nodiscard]] std::uint64_t accepted() const noexcept { return accepted_.get(); }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_.get(); }

  // Lcore. Returns how many orders were written to `into`.
  [[nodiscard]] std::uint32_t take(Order* into, std::uint32_t most) noexcept;
  [[nodiscard]] bool empty() const noexcept { return nothing_to_take(ring_.get()); }

 private:
  [[nodiscard]] rte_mbuf* copy(ByteView bytes, std::size_t most) noexcept;
  bool put(Order order) noexcept;
  bool refuse() noexcept;

  rte_mempool* pool_;
  Ring ring_;
  Bell& bell_;
  OwnedCounter accepted_;  // overlay: rw, anybody: r
  OwnedCounter refused_;   // overlay: rw, anybody: r
};

}  // namespace ipop::engine
