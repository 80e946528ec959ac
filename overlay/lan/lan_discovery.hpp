// Finds members on the same link without the hash table: says who we are when we come and now and
// then, asks who holds an address, and answers. Bounded by time both ways. Overlay thread; time is
// passed in.
#pragma once

#include <array>
#include <functional>
#include <optional>

#include "overlay/lan/lan_message.hpp"
#include "overlay/peer/context.hpp"

namespace ipop::overlay {

class LanDiscovery {
 public:
  // A second, of what others on the link say: tried to unseal, and, of members, verified.
  static constexpr unsigned kMostUnsealed = 1000;
  static constexpr unsigned kMostVerified = 50;

  struct Hooks {
    std::function<NodeRecord()> own_record;
    std::function<void(const NodeRecord&)> on_record;
  };

  LanDiscovery(Context& context, Hooks hooks) : context_(context), hooks_(std::move(hooks)) {}

  // `send`: to all on every link of ours.
  void set_sender(std::function<void(ByteView)> send) { send_ = std::move(send); }
  [[nodiscard]] bool enabled() const noexcept { return static_cast<bool>(send_); }
  // From now on; and again whenever we may be on other links than before.
  void introduce(Instant now);
  // Who holds this inner address? Asked five times a second at most, whatever the address.
  [[nodiscard]] bool may_ask(Instant now) const;
  void ask(const IpAddress& address, Instant now);
  void on_datagram(ByteView datagram, Now now);
  void service(Instant now);
  [[nodiscard]] std::optional<Instant> deadline() const;

 private:
  void say(LanMessage::Kind kind, const IpAddress& address);
  void answer(Duration within, Instant now);
  [[nodiscard]] bool holds(const IpAddress& address) const;

  Context& context_;
  Hooks hooks_;
  std::function<void(ByteView)> send_;
  Instant next_introduction_ = Instant::max();
  unsigned introductions_ = 0;
  std::optional<Instant> answer_due_;
  Instant answered_{};
  Instant asked_{};
  Instant second_{};
  unsigned unsealed_ = 0;  // in this second
  unsigned verified_ = 0;
  // The last that were taken: whoever is on the link can say them again, as often as he likes.
  std::array<std::array<std::uint8_t, 16>, 64> heard_{};
  std::size_t next_heard_ = 0;
};

}  // namespace ipop::overlay
