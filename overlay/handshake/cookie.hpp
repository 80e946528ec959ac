// mac1, mac2 and cookies (WireGuard paper §5.3, §5.4.4, §5.4.7): who cannot make mac1 gets no
// answer, and under load only who proved its address with a cookie gets a handshake. Pure: time is
// passed in.
#pragma once

#include <optional>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"
#include "overlay/handshake/noise.hpp"

namespace ipop::overlay::handshake {

using Mac = std::array<std::uint8_t, 16>;

// The key that mac1 of messages *to* `remote` is made with. In IPOP form the network's mac key
// enters too, so that only members can draw an answer; in WireGuard form pass an all-zero
// `network_mac`.
[[nodiscard]] Secret<32> mac1_key(Form form, const ExchangePublicKey& remote,
                                  const Secret<32>& network_mac);
// Likewise for the encryption of cookie replies *from* `remote`.
[[nodiscard]] Secret<32> cookie_key(Form form, const ExchangePublicKey& remote,
                                    const Secret<32>& network_mac);

// The initiator's side, one per peer: appends macs, remembers a cookie for 120 s.
class MacWriter {
 public:
  MacWriter(Form form, const ExchangePublicKey& remote, const Secret<32>& network_mac);

  // Appends mac1 and mac2 (zero without a fresh cookie) to `message`.
  void append_macs(std::vector<std::uint8_t>& message, Instant now);
  // A cookie reply for the last message appended to; false if it does not decrypt.
  [[nodiscard]] bool consume_reply(ByteView reply, Instant now);

 private:
  Secret<32> mac1_key_;
  Secret<32> cookie_key_;
  Mac last_mac1_{};
  bool sent_ = false;
  std::optional<Secret<16>> cookie_;
  Instant cookie_until_{};
};

enum class MacVerdict : std::uint8_t {
  kInvalid,  // drop without an answer
  kValid,    // mac1 is right
  kProven,   // mac1 and mac2 are right: the sender receives at its address
};

// The responder's side, one per form: checks macs, makes cookies with a secret that changes every
// 120 s (the one before is still accepted).
class MacChecker {
 public:
  MacChecker(Form form, const ExchangePublicKey& local, const Secret<32>& network_mac);

  [[nodiscard]] MacVerdict check(ByteView message, const Endpoint& source, Instant now);
  // The cookie reply to a message whose verdict was kValid.
  [[nodiscard]] std::vector<std::uint8_t> make_reply(ByteView message, const Endpoint& source,
                                                     Instant now);

 private:
  [[nodiscard]] Secret<16> cookie_for(const Endpoint& source, const Secret<32>& secret) const;
  void rotate(Instant now);

  Secret<32> mac1_key_;
  Secret<32> cookie_key_;
  Secret<32> secret_;
  Secret<32> previous_secret_;
  Instant secret_until_{};
  bool started_ = false;
  bool has_previous_ = false;
};

}  // namespace ipop::overlay::handshake
