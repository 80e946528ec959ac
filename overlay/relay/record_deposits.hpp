// Our record, left with the relays that we are reached through, for them to keep in the directory:
// ours alone may not reach the nodes there that others ask. Said again until it is answered.
// Overlay thread; time is passed in.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "overlay/peer/context.hpp"
#include "overlay/peer/message.hpp"
#include "overlay/peer/peer_table.hpp"

namespace ipop::overlay {

class RecordDeposits {
 public:
  RecordDeposits(Context& context, PeerTable& peers) : context_(context), peers_(peers) {}

  // `value`: our record as it stands under `address`, or under our id if that is ::. What was left
  // under it before is no longer said again.
  void leave(const IpAddress& address, const DirectoryValue& value, std::uint64_t sequence,
             const std::vector<engine::PeerIndex>& relays, Instant now);
  void on_answer(const Peer& relay, const message::RecordDeposited& answer);
  void service(Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;

 private:
  struct Deposit {
    engine::PeerIndex relay = engine::kNoPeer;
    IpAddress address;
    std::uint64_t sequence = 0;
    DirectoryValue value;
    unsigned tries = 0;
    Instant next{};
  };

  Context& context_;
  PeerTable& peers_;
  std::vector<Deposit> deposits_;  // without an answer; one for each address and relay
};

}  // namespace ipop::overlay
