// Records of nodes that are reached through us, kept in the directory for them: the firewall of
// such a node may let it reach few of the nodes that others would ask. What is kept is the node's
// own word, signed and sealed by it. Only members that we have verified, only what is theirs.
// Overlay thread; time is passed in.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "overlay/peer/context.hpp"
#include "overlay/peer/message.hpp"
#include "overlay/peer/peer_table.hpp"

namespace ipop::overlay {

class GuestRecords {
 public:
  static constexpr std::size_t kMaxRecords = 768;
  // Of each record: each time, the hash table gets another copy.
  static constexpr Duration kPublishEvery = std::chrono::seconds(5);
  static constexpr Duration kKeptFor = std::chrono::minutes(15);  // whatever the record says
  static constexpr unsigned kOpenedPerSecond = 100;               // two signatures are checked
  static constexpr unsigned kOpenedOfOne = 20;                    // of these, of one guest

  explicit GuestRecords(Context& context) : context_(context) {}

  // Keeps the record and says so, or says that it is not kept. What is not the guest's is dropped
  // and counted.
  void on_deposit(const Peer& guest, const message::RecordDeposit& deposit, Now now);
  // It is gone, or about to be removed: its records are no longer kept alive.
  void forget(const Peer& guest);
  // We no longer relay.
  void drop_all();
  void service(Instant now);

  [[nodiscard]] std::size_t size() const noexcept { return kept_.size(); }

 private:
  struct Kept {
    NodeId of;
    std::uint64_t sequence = 0;
    Instant until{};
    Instant next_publish{};
    std::optional<DirectoryValue> waiting;  // for next_publish
  };

  [[nodiscard]] bool may_open(const NodeId& guest, Instant now);
  void drop_what_is_no_longer_its(const Peer& guest);
  [[nodiscard]] bool keep(const DirectoryKey& at, const NodeRecord& record,
                          const DirectoryValue& value, Now now);
  template <typename Condition>
  void drop_if(Condition condition);

  void publish(const DirectoryKey& at, Kept& kept, Instant now);

  Context& context_;
  std::map<DirectoryKey, Kept> kept_;
  Instant next_service_{};
  Instant second_{};  // when the one began in which `opened_` were opened
  unsigned opened_ = 0;
  std::map<NodeId, unsigned> opened_of_;  // by guest
};

}  // namespace ipop::overlay
