// What a handshake costs: both sides of it, each side alone, and the refusal of a stranger.
#include <benchmark/benchmark.h>

#include "overlay/handshake/cookie.hpp"
#include "overlay/handshake/noise.hpp"

namespace ipop::overlay::handshake {
namespace {

struct Party {
  Secret<32> secret = Secret<32>::random();
  ExchangePublicKey public_key{};

  Party() { crypto_scalarmult_base(public_key.data(), secret.data()); }
  [[nodiscard]] LocalKeys keys() const { return {secret.bytes(), public_key}; }
};

struct Parties {
  Party initiator;
  Party responder;
  Secret<32> psk = Secret<32>::random();
  Secret<32> network_mac = Secret<32>::random();
  std::vector<std::uint8_t> payload = std::vector<std::uint8_t>(37, 1);
  MacWriter to_responder{Form::kIpop, responder.public_key, network_mac};
  MacWriter to_initiator{Form::kIpop, initiator.public_key, network_mac};
  MacChecker at_responder{Form::kIpop, responder.public_key, network_mac};
  MacChecker at_initiator{Form::kIpop, initiator.public_key, network_mac};
  Endpoint source{IpAddress::v4(0x7f000001), 4545};

  [[nodiscard]] Initiation initiate() {
    auto initiation = create_initiation(Form::kIpop, initiator.keys(), responder.public_key, 1,
                                        Timestamp{}, payload);
    to_responder.append_macs(initiation->message, Instant());
    return *std::move(initiation);
  }
  [[nodiscard]] Response answer(ByteView initiation) {
    benchmark::DoNotOptimize(at_responder.check(initiation, source, Instant()));
    const auto received = consume_initiation(Form::kIpop, responder.keys(), initiation);
    auto response = create_response(*received, 2, psk, payload);
    to_initiator.append_macs(response->message, Instant());
    return *std::move(response);
  }
};

void whole_handshake(benchmark::State& state) {
  Parties parties;
  for (auto _ : state) {
    const Initiation initiation = parties.initiate();
    const Response response = parties.answer(initiation.message);
    benchmark::DoNotOptimize(
        parties.at_initiator.check(response.message, parties.source, Instant()));
    auto finished =
        consume_response(initiation.state, parties.initiator.keys(), parties.psk, response.message);
    if (!finished || !(finished->keys.send == response.keys.receive)) {
      state.SkipWithError("the handshake failed");
    }
  }
}
BENCHMARK(whole_handshake)->Unit(benchmark::kMicrosecond);

void initiate(benchmark::State& state) {
  Parties parties;
  for (auto _ : state)
    benchmark::DoNotOptimize(parties.initiate());
}
BENCHMARK(initiate)->Unit(benchmark::kMicrosecond);

void answer(benchmark::State& state) {
  Parties parties;
  const Initiation initiation = parties.initiate();
  for (auto _ : state)
    benchmark::DoNotOptimize(parties.answer(initiation.message));
}
BENCHMARK(answer)->Unit(benchmark::kMicrosecond);

void refuse_stranger(benchmark::State& state) {
  Parties parties;
  const std::vector<std::uint8_t> message(185, 7);
  for (auto _ : state) {
    benchmark::DoNotOptimize(parties.at_responder.check(message, parties.source, Instant()));
  }
}
BENCHMARK(refuse_stranger)->Unit(benchmark::kMicrosecond);

void reply_with_cookie(benchmark::State& state) {
  Parties parties;
  const Initiation initiation = parties.initiate();
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        parties.at_responder.make_reply(initiation.message, parties.source, Instant()));
  }
}
BENCHMARK(reply_with_cookie)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace ipop::overlay::handshake

int main(int argc, char** argv) {
  if (sodium_init() < 0) return 1;  // chooses the fastest X25519 and ChaCha20 of this machine
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
