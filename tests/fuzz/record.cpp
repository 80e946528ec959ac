// Credentials, node records and rendezvous as strangers and as hostile members make them. The first
// byte says which, and how far the input may go past the cryptography: raw bytes, or bytes that are
// sealed and signed as a member would. What parses must encode to the same bytes again.
#include <sodium.h>

#include <string>

#include "overlay/directory/node_record.hpp"
#include "overlay/directory/sealed_box.hpp"
#include "tests/fuzz/member.hpp"

namespace {

using namespace ipop;
using namespace ipop::overlay;
using namespace ipop::fuzz;

std::vector<std::uint8_t> with_signature(const std::string& label, ByteView body) {
  std::string text = label;
  text.append(reinterpret_cast<const char*>(body.data()), body.size());
  const Signature signature =
      member().sign({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
  std::vector<std::uint8_t> made(body.begin(), body.end());
  made.insert(made.end(), signature.begin(), signature.end());
  return made;
}

std::string as_text(const DirectoryKey& at) {
  return {reinterpret_cast<const char*>(at.bytes.data()), at.bytes.size()};
}

void parse_credential(ByteView bytes) {
  const auto parsed = Credential::parse(bytes);
  if (!parsed) return;
  require(std::equal(bytes.begin(), bytes.end(), parsed->encoded.begin(), parsed->encoded.end()));
  if (parsed->signing_key != member().signing_key()) return;
  const Credential made = Credential::make(member(), parsed->addresses, parsed->routes,
                                           parsed->hostname, parsed->claimed_at);
  require(made.encoded == parsed->encoded);
}

// The body with the member's key where the key stands.
void parse_signed_credential(ByteView bytes) {
  std::vector<std::uint8_t> body(bytes.begin(), bytes.end());
  if (body.size() < 33) return;
  std::ranges::copy(member().signing_key(), body.begin() + 1);
  parse_credential(with_signature("ipop credential v1", body));
}

void open_record(ByteView value, const DirectoryKey& at) {
  const auto opened = NodeRecord::open(value, network(), at, kNow);
  if (!opened || opened->credential.signing_key != member().signing_key()) return;
  const auto again = NodeRecord::open(opened->seal(member(), network(), at), network(), at, kNow);
  require(again && again->candidates == opened->candidates &&
          again->credential.encoded == opened->credential.encoded &&
          again->sequence == opened->sequence && again->expires == opened->expires);
}

void open_rendezvous(ByteView value) {
  const auto opened = Rendezvous::open(value, network(), member().node_id(), kNow);
  if (!opened || opened->from.credential.signing_key != member().signing_key()) return;
  const auto again = Rendezvous::open(opened->seal(member(), network(), member().node_id()),
                                      network(), member().node_id(), kNow);
  require(again && again->sent == opened->sent &&
          again->from.candidates == opened->from.candidates &&
          again->from.relays == opened->from.relays);
}

const Credential& credential() {
  static const Credential made =
      Credential::make(member(), {Prefix::parse("10.0.0.1").value()}, {}, "fuzz", kNow);
  return made;
}

// The input is what follows a good head and credential, so that the candidates are reached.
std::vector<std::uint8_t> record_body(ByteView bytes) {
  std::vector<std::uint8_t> body(1 + 8 + 8 + 2);
  body[0] = NodeRecord::kVersion;
  store_le<std::uint64_t>(&body[9],
                          static_cast<std::uint64_t>(kNow.time_since_epoch().count()) + 1);
  store_le<std::uint16_t>(&body[17], static_cast<std::uint16_t>(credential().encoded.size()));
  body.insert(body.end(), credential().encoded.begin(), credential().encoded.end());
  body.insert(body.end(), bytes.begin(), bytes.end());
  return body;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const ByteView bytes(data + 1, size - 1);
  const DirectoryKey at{{5}};
  const DirectoryKey inbox = network().inbox_key(member().node_id());
  const std::string record = "ipop node record v1";
  const std::string rendezvous = "ipop rendezvous v1";
  const auto seal = [](const std::string& kind, const DirectoryKey& place, ByteView plaintext) {
    return seal_box(network().record_seal(), kind, place, plaintext);
  };
  switch (data[0] % 8) {
    case 0:
      parse_credential(bytes);
      break;
    case 1:
      parse_signed_credential(bytes);
      break;
    case 2:
      open_record(bytes, at);
      break;
    case 3:
      open_record(seal(record, at, bytes), at);
      break;
    case 4:
      open_record(seal(record, at, with_signature(record + as_text(at), record_body(bytes))), at);
      break;
    case 5:
      open_rendezvous(bytes);
      break;
    case 6:
      open_rendezvous(seal(rendezvous, inbox, bytes));
      break;
    default: {
      std::vector<std::uint8_t> body(bytes.first(std::min<std::size_t>(8, bytes.size())).begin(),
                                     bytes.first(std::min<std::size_t>(8, bytes.size())).end());
      body.resize(8);
      const auto rest = record_body(bytes.subspan(std::min<std::size_t>(8, bytes.size())));
      body.insert(body.end(), rest.begin(), rest.end());
      open_rendezvous(seal(rendezvous, inbox, with_signature(rendezvous + as_text(inbox), body)));
      break;
    }
  }
  return 0;
}
