// Control messages of a peer: any bytes parse or are refused, and what parses is written back as
// the same bytes.
#include <cstdlib>

#include "overlay/peer/message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace message = ipop::overlay::message;
  const ipop::ByteView bytes(data, size);
  const auto parsed = message::parse(bytes);
  if (!parsed || std::holds_alternative<message::Unknown>(*parsed)) return 0;
  if (const auto* offer = std::get_if<message::CredentialOffer>(&*parsed)) {
    static_cast<void>(ipop::overlay::Credential::parse(offer->encoded));
    if (offer->encoded.size() > 1000) return 0;  // more than an encoder has room for
  }
  const auto written = message::encode(*parsed);
  if (!std::equal(written.begin(), written.end(), bytes.begin(), bytes.end())) std::abort();
  return 0;
}
