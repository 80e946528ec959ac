// Handshake messages from anybody: arbitrary bytes are refused without harm, one damaged bit of a
// valid message never opens, and any payload of a valid message arrives as it was sent. The first
// byte of the input chooses which of these is tried.
#include <algorithm>
#include <cstdlib>

#include "overlay/handshake/cookie.hpp"
#include "overlay/handshake/noise_detail.hpp"
#include "overlay/handshake/payload.hpp"

namespace ipop::overlay::handshake {
namespace {

using Bytes = std::vector<std::uint8_t>;

void require(bool holds) {
  if (!holds) std::abort();
}

Secret<32> fixed_secret(std::uint8_t byte) {
  Secret<32> secret;
  std::ranges::fill(secret.bytes(), byte);
  return secret;
}

struct Party {
  Secret<32> secret;
  ExchangePublicKey public_key{};

  explicit Party(std::uint8_t name) : secret(fixed_secret(name)) {
    crypto_scalarmult_base(public_key.data(), secret.data());
  }
  [[nodiscard]] LocalKeys keys() const { return {secret.bytes(), public_key}; }
};

// One handshake of each form, the same in every run.
struct Scene {
  Form form;
  Party initiator{1};
  Party responder{2};
  Secret<32> psk = fixed_secret(5);
  Secret<32> network_mac;
  Endpoint source{IpAddress::v4(0xc0000201), 4545};
  MacChecker checker;
  MacWriter writer;
  Initiation initiation;
  Bytes response;
  Bytes reply;

  explicit Scene(Form which)
      : form(which),
        network_mac(form == Form::kIpop ? fixed_secret(6) : Secret<32>()),
        checker(form, responder.public_key, network_mac),
        writer(form, responder.public_key, network_mac),
        initiation(initiate(form == Form::kIpop ? Bytes(37, 1) : Bytes())) {
    writer.append_macs(initiation.message, Instant());
    const auto received = consume_initiation(form, responder.keys(), initiation.message);
    response = detail::create_response_with(fixed_secret(4), *received, 20, psk, {})->message;
    MacWriter(form, initiator.public_key, network_mac).append_macs(response, Instant());
    reply = checker.make_reply(initiation.message, source, Instant());
  }

  [[nodiscard]] Initiation initiate(ByteView payload) const {
    return *detail::create_initiation_with(fixed_secret(3), form, initiator.keys(),
                                           responder.public_key, 10, Timestamp{}, payload);
  }
  [[nodiscard]] bool opens_initiation(ByteView message) const {
    return consume_initiation(form, responder.keys(), message).has_value();
  }
  [[nodiscard]] bool opens_response(ByteView message) const {
    return consume_response(initiation.state, initiator.keys(), psk, message).has_value();
  }
  [[nodiscard]] bool opens_reply(ByteView message) const {
    MacWriter waiting = writer;
    return waiting.consume_reply(message, Instant());
  }
};

// What a message consists of but its sender's index and macs.
bool same_body(ByteView a, ByteView b, std::size_t macs) {
  return a.size() == b.size() && std::ranges::equal(a.first(4), b.first(4)) &&
         std::ranges::equal(a.subspan(8, a.size() - macs - 8), b.subspan(8, b.size() - macs - 8));
}

void try_arbitrary(Scene& scene, ByteView bytes) {
  require(!scene.opens_initiation(bytes) || same_body(bytes, scene.initiation.message, 32));
  require(!scene.opens_response(bytes) || same_body(bytes, scene.response, 32));
  require(!scene.opens_reply(bytes) || same_body(bytes, scene.reply, 0));
  const bool valid = scene.checker.check(bytes, scene.source, Instant()) != MacVerdict::kInvalid;
  const auto before_mac2 = [](ByteView whole) { return whole.first(whole.size() - 16); };
  require(!valid || std::ranges::equal(before_mac2(bytes), before_mac2(scene.initiation.message)));
  (void)receiver_of(bytes);
}

void try_damage(Scene& scene, ByteView bytes) {
  ByteReader reader(bytes);
  const unsigned which = reader.u8() % 3;
  const Bytes& valid = which == 0   ? scene.initiation.message
                       : which == 1 ? scene.response
                                    : scene.reply;
  const std::size_t bit = reader.le<std::uint16_t>() % (valid.size() * 8);
  Bytes damaged = valid;
  damaged[bit / 8] ^= static_cast<std::uint8_t>(1u << (bit % 8));
  const bool unsealed = bit / 8 >= 4 && bit / 8 < 8;  // the index; mac1 covers it
  const bool in_macs = which != 2 && bit / 8 >= valid.size() - 32;
  if (which == 0 && bit / 8 < valid.size() - 16) {
    require(scene.checker.check(damaged, scene.source, Instant()) == MacVerdict::kInvalid);
  }
  if (unsealed || in_macs) return;
  require(!scene.opens_initiation(damaged));
  require(!scene.opens_response(damaged));
  require(!scene.opens_reply(damaged));
}

void try_payload(const Scene& scene, ByteView bytes) {
  if (const auto parsed = Payload::parse(bytes)) {
    const Bytes encoded = parsed->encode();
    const auto again = Payload::parse(encoded);
    require(again.has_value() && again->encode() == encoded);
    // An older node's ends before the lanes; and there is at least one of them.
    constexpr std::size_t kLanes = 32 + 1 + 4;
    require(std::ranges::equal(ByteView(encoded).first(kLanes), bytes.first(kLanes)));
    for (std::size_t i = kLanes; i < encoded.size(); ++i) {
      const bool is_there = bytes.size() >= encoded.size();
      require(encoded[i] == (is_there ? std::max<std::uint8_t>(bytes[i], 1) : 1));
    }
  }
  if (scene.form != Form::kIpop || bytes.size() > kMaxPayload) return;
  Initiation initiation = scene.initiate(bytes);
  initiation.message.resize(initiation.message.size() + 32);
  const auto received = consume_initiation(scene.form, scene.responder.keys(), initiation.message);
  require(received.has_value() && std::ranges::equal(received->payload, bytes));
}

}  // namespace
}  // namespace ipop::overlay::handshake

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ipop::overlay::handshake;
  static Scene scenes[] = {Scene(Form::kWireGuard), Scene(Form::kIpop)};
  if (size == 0) return 0;
  Scene& scene = scenes[data[0] % 2];
  const ipop::ByteView rest(data + 1, size - 1);
  switch (data[0] / 2 % 3) {
    case 0:
      try_arbitrary(scene, rest);
      break;
    case 1:
      try_damage(scene, rest);
      break;
    default:
      try_payload(scene, rest);
  }
  return 0;
}
