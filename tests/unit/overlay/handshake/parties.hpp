// Two parties to a handshake, with fixed keys, and the whole exchange in one call. Tests only.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "overlay/handshake/cookie.hpp"
#include "overlay/handshake/noise.hpp"

namespace ipop::overlay::handshake::testing {

using Bytes = std::vector<std::uint8_t>;

struct Party {
  Secret<32> secret;
  ExchangePublicKey public_key{};

  explicit Party(std::string_view name);  // the same name gives the same keys
  [[nodiscard]] LocalKeys keys() const { return {secret.bytes(), public_key}; }
};

// 32 bytes that depend on nothing but `name`.
[[nodiscard]] Secret<32> fixed_secret(std::string_view name);

[[nodiscard]] inline Instant at(Duration since_start) {
  return Instant(std::chrono::hours(1)) + since_start;
}
[[nodiscard]] inline Endpoint endpoint(std::string_view text) {
  return Endpoint::parse(text).value();
}

inline constexpr std::uint32_t kInitiatorIndex = 0x11223344;
inline constexpr std::uint32_t kResponderIndex = 0xa1b2c3d4;
inline constexpr Timestamp kTimestamp{0x40, 0, 0, 0, 0x66, 1, 2, 3, 0x12, 0, 0, 0};

// Names the instances of tests that run for both forms.
[[nodiscard]] inline std::string form_name(const ::testing::TestParamInfo<Form>& test) {
  return test.param == Form::kIpop ? "Ipop" : "WireGuard";
}

// An exchange with fresh ephemeral keys, each step of which a test can spoil or repeat.
struct Exchange {
  Form form;
  Party initiator{"initiator"};
  Party responder{"responder"};
  Secret<32> psk = fixed_secret("psk");
  Secret<32> network_mac;  // zero in WireGuard form
  Bytes initiation_payload;
  Bytes response_payload;

  explicit Exchange(Form which);

  // Complete messages, with macs. They throw if the product refuses to make them.
  [[nodiscard]] Initiation initiate() const;
  [[nodiscard]] Response respond(const ReceivedInitiation& initiation) const;
  [[nodiscard]] Result<ReceivedInitiation> receive(ByteView initiation) const {
    return consume_initiation(form, responder.keys(), initiation);
  }
  [[nodiscard]] Result<ReceivedResponse> finish(const InitiatorState& state,
                                                ByteView response) const {
    return consume_response(state, initiator.keys(), psk, response);
  }
};

}  // namespace ipop::overlay::handshake::testing
