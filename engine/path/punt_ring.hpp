// The way up from one lcore to the overlay thread: two bounded rings, so that what has been
// authenticated, and the engine's own events, never queue behind what anybody can send. They are
// drained in turns, so that neither do members who send without end shut out handshakes. The lcore
// puts in, the overlay drains. The wake-up costs the lcore a system call only if the overlay has
// found the rings empty since the last one.
#pragma once

#include <rte_mbuf.h>

#include <atomic>
#include <memory>

#include "base/bytes.hpp"
#include "base/fd.hpp"
#include "engine/api/punt.hpp"
#include "engine/ring.hpp"

namespace ipop::engine {

class PuntRing final : public PuntQueue {
 public:
  static constexpr std::uint32_t kDatagrams = 1024;
  static constexpr std::uint32_t kEvents = 1024;
  // Of so many that are taken, one is a datagram if any waits, whatever else does.
  static constexpr std::uint32_t kDatagramsTurn = 4;

  // What is longer is no datagram of the overlay.
  static constexpr std::size_t kMaxBytes = 1920;

  // Throws std::runtime_error. EAL must run. Copies are made into `pool`, which outlives this.
  explicit PuntRing(rte_mempool* pool);
  // Frees what was not drained: the lcore must have stopped.
  ~PuntRing() override;

  // Lcore. Each copies the bytes, which are few and rare beside those of hosts; false if there is
  // no room, or they are more than kMaxBytes.
  [[nodiscard]] bool datagram(ByteView bytes, const Endpoint& source) noexcept;
  [[nodiscard]] bool control(ByteView bytes, const Endpoint& source, PeerIndex peer,
                             ReceiverIndex session) noexcept;
  // An event without a packet.
  [[nodiscard]] bool event(PuntKind kind, PeerIndex peer, ReceiverIndex session,
                           const Endpoint& source) noexcept;
  [[nodiscard]] bool resolve(const IpAddress& address) noexcept;
  [[nodiscard]] bool need_session(PeerIndex peer, const IpAddress& address) noexcept;
  // Once a turn: wakes the overlay if it may sleep and there is something new.
  void wake() noexcept;

  // Overlay thread.
  std::size_t drain(std::size_t limit, const std::function<void(const Punt&)>& take) override;
  [[nodiscard]] int wake_fd() const override { return wake_fd_.get(); }

 private:
  struct Item {
    rte_mbuf* packet = nullptr;
    IpAddress address;
    PeerIndex peer = kNoPeer;
    ReceiverIndex session = kNoReceiver;
    Endpoint source;
    PuntKind kind = PuntKind::kDatagram;
  };
  static_assert(sizeof(Item) % 4 == 0, "rte_ring copies whole words");

  [[nodiscard]] bool put(rte_ring* ring, Item item) noexcept;
  [[nodiscard]] bool put_copy(rte_ring* ring, ByteView bytes, Item item) noexcept;
  [[nodiscard]] bool take_one(Item& item) noexcept;
  [[nodiscard]] bool empty() const noexcept;
  void signal() noexcept;

  rte_mempool* pool_;
  Ring datagrams_;
  Ring events_;
  Fd wake_fd_;
  bool pushed_ = false;  // lcore: rw
  // On a line of its own, as the lcore writes the one before. overlay: rw
  alignas(64) std::uint32_t taken_ = 0;
  // True: the overlay has seen the rings empty and waits for wake_fd. Every access is an exchange,
  // so that of two that race the later sees what went before the earlier. lcore: rw, overlay: rw
  alignas(64) std::atomic<bool> armed_{true};
};

}  // namespace ipop::engine
