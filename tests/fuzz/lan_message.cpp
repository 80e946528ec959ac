// What comes from a link, as strangers and as hostile members make it. The first byte says how far
// the input may go past the cryptography: a datagram, what was sealed in one, or that with a good
// record of a member behind it. What parses must be said again as it was.

#include "overlay/lan/lan_message.hpp"
#include "tests/fuzz/member.hpp"

namespace {

using namespace ipop;
using namespace ipop::overlay;
using namespace ipop::fuzz;

const DirectoryValue& record() {
  static const DirectoryValue sealed = [] {
    const NodeRecord made{.credential = Credential::make(
                              member(), {Prefix::parse("10.0.0.1").value()}, {}, "fuzz", kNow),
                          .sequence = 1,
                          .expires = kNow + std::chrono::hours(1),
                          .relays = {},
                          .candidates = {}};
    return made.seal(member(), network(), network().lan_key());
  }();
  return sealed;
}

void parse(ByteView unsealed) {
  const auto message = LanMessage::parse(unsealed, network(), kNow);
  if (!message || message->from.credential.signing_key != member().signing_key()) return;
  const auto datagram = message->seal(member(), network());
  require(datagram.size() <= LanMessage::kMaxSize);
  const auto opened = LanMessage::unseal(datagram, network());
  require(opened.has_value());
  const auto again = LanMessage::parse(*opened, network(), kNow);
  require(again && again->kind == message->kind && again->address == message->address &&
          again->from.credential.encoded == message->from.credential.encoded);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  switch (data[0] % 3) {
    case 0:
      if (const auto unsealed = LanMessage::unseal(bytes, network())) parse(*unsealed);
      break;
    case 1:
      parse(bytes);
      break;
    default: {
      std::vector<std::uint8_t> unsealed(bytes.begin(), bytes.end());
      unsealed.insert(unsealed.end(), record().begin(), record().end());
      parse(unsealed);
    }
  }
  return 0;
}
