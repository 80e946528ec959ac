#include "overlay/directory/node_record.hpp"

#include <algorithm>
#include <string_view>

#include "overlay/directory/sealed_box.hpp"
#include "overlay/trust/address_codec.hpp"

// Inside the seal, little-endian:
//   record:     version (1) ‖ sequence (8) ‖ expires, ns since 1970 (8) ‖ credential: length (2),
//               bytes ‖ NAT mapping (1) ‖ relays: count (1), each: signing key (32), family (1), 4
//               or 16 bytes, port (2) ‖ candidates: count (1), each: kind (1), family (1), 4 or 16
//               bytes, port (2) ‖ signature (64)
//   rendezvous: sent, ns since 1970 (8) ‖ a record as above
// The signature, by the credential's key, is over the kind's label, the place in the directory and
// all that stands before it.

namespace ipop::overlay {
namespace {

constexpr std::string_view kRecord = "ipop node record v1";
constexpr std::string_view kRendezvous = "ipop rendezvous v1";
constexpr std::size_t kMaxValue = 1000;
constexpr std::size_t kMaxCandidates = 16;
constexpr std::size_t kMaxPlaintext = kMaxValue - kSealedBoxOverhead;
constexpr Duration kRendezvousLife = std::chrono::minutes(2);

std::uint64_t to_wire(WallTime time) noexcept {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}
WallTime from_wire(std::uint64_t nanoseconds) noexcept {
  return WallTime(Duration(static_cast<std::int64_t>(nanoseconds)));
}

std::vector<std::uint8_t> signed_text(std::string_view kind, const DirectoryKey& at,
                                      ByteView body) {
  std::vector<std::uint8_t> text(kind.size() + at.bytes.size() + body.size());
  ByteWriter writer(text);
  writer.bytes({reinterpret_cast<const std::uint8_t*>(kind.data()), kind.size()});
  writer.bytes(at.bytes);
  writer.bytes(body);
  return text;
}

std::size_t encoded_size(const Candidate& candidate) noexcept {
  return 1 + 1 + (candidate.endpoint.address.is_v4() ? 4u : 16u) + 2;
}

// A candidate twice would be tried twice; the first wins, as it stands further ahead.
std::vector<Candidate> without_duplicates(const std::vector<Candidate>& candidates) {
  std::vector<Candidate> kept;
  for (const Candidate& candidate : candidates) {
    if (std::ranges::find(kept, candidate.endpoint, &Candidate::endpoint) == kept.end()) {
      kept.push_back(candidate);
    }
  }
  return kept;
}

void write_relays(ByteWriter& writer, const std::vector<RelayHint>& relays) {
  const std::size_t count = std::min(relays.size(), NodeRecord::kMaxRelays);
  writer.u8(static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    writer.bytes(relays[i].key);
    write_address(writer, relays[i].endpoint.address);
    writer.le(relays[i].endpoint.port);
  }
}

Result<std::vector<RelayHint>> read_relays(ByteReader& reader) {
  std::vector<RelayHint> relays;
  const unsigned count = reader.u8();
  if (count > NodeRecord::kMaxRelays) return fail("more than 3 relays");
  for (unsigned i = 0; i < count && reader.ok(); ++i) {
    RelayHint relay;
    reader.copy(relay.key);
    relay.endpoint.address = read_address(reader);
    relay.endpoint.port = reader.le<std::uint16_t>();
    relays.push_back(relay);
  }
  return relays;
}

// As many candidates from the front as the value has room for.
void write_candidates(ByteWriter& writer, const std::vector<Candidate>& candidates,
                      std::size_t room) {
  const std::vector<Candidate> unique = without_duplicates(candidates);
  std::size_t count = 0;
  std::size_t size = 1;
  while (count < unique.size() && count < kMaxCandidates &&
         size + encoded_size(unique[count]) <= room) {
    size += encoded_size(unique[count++]);
  }
  writer.u8(static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    writer.u8(static_cast<std::uint8_t>(unique[i].kind));
    write_address(writer, unique[i].endpoint.address);
    writer.le(unique[i].endpoint.port);
  }
}

// Appends `record` to `prefix` and signs both.
std::vector<std::uint8_t> encode(const NodeRecord& record, const Identity& identity,
                                 std::string_view kind, const DirectoryKey& at, ByteView prefix) {
  std::vector<std::uint8_t> plaintext(kMaxPlaintext);
  ByteWriter writer(plaintext);
  writer.bytes(prefix);
  writer.u8(NodeRecord::kVersion);
  writer.le(record.sequence);
  writer.le(to_wire(record.expires));
  writer.le(static_cast<std::uint16_t>(record.credential.encoded.size()));
  writer.bytes(record.credential.encoded);
  writer.u8(static_cast<std::uint8_t>(record.nat));
  write_relays(writer, record.relays);
  write_candidates(writer, record.candidates, kMaxPlaintext - sizeof(Signature) - writer.size());
  writer.bytes(identity.sign(signed_text(kind, at, writer.written())));
  plaintext.resize(writer.size());
  return plaintext;
}

Result<std::vector<Candidate>> read_candidates(ByteReader& reader) {
  std::vector<Candidate> candidates;
  const unsigned count = reader.u8();
  if (count > kMaxCandidates) return fail("more than 16 candidates");
  for (unsigned i = 0; i < count && reader.ok(); ++i) {
    Candidate candidate;
    const std::uint8_t kind = reader.u8();
    if (kind > static_cast<std::uint8_t>(CandidateKind::kMapped)) {
      return fail("candidate of unknown kind");
    }
    candidate.kind = static_cast<CandidateKind>(kind);
    candidate.endpoint.address = read_address(reader);
    candidate.endpoint.port = reader.le<std::uint16_t>();
    candidates.push_back(candidate);
  }
  if (without_duplicates(candidates) != candidates) return fail("a candidate twice");
  return candidates;
}

// Reads a record at the end of `plaintext`, of which the first `prefix` bytes are not its own.
Result<NodeRecord> decode(ByteView plaintext, std::size_t prefix, std::string_view kind,
                          const DirectoryKey& at) {
  if (plaintext.size() < prefix + sizeof(Signature)) return fail("cut off");
  const ByteView body = plaintext.first(plaintext.size() - sizeof(Signature));
  ByteReader reader(body.subspan(prefix));
  if (const std::uint8_t version = reader.u8(); version != NodeRecord::kVersion) {
    return fail("of unknown version " + std::to_string(version));
  }
  NodeRecord record;
  record.sequence = reader.le<std::uint64_t>();
  record.expires = from_wire(reader.le<std::uint64_t>());
  auto credential = Credential::parse(reader.bytes(reader.le<std::uint16_t>()));
  if (!credential) return std::unexpected(credential.error());
  const std::uint8_t nat = reader.u8();
  if (nat > static_cast<std::uint8_t>(NatMapping::kEndpointDependent)) {
    return fail("NAT of unknown kind");
  }
  auto relays = read_relays(reader);
  if (!relays) return std::unexpected(relays.error());
  auto candidates = read_candidates(reader);
  if (!candidates) return std::unexpected(candidates.error());
  if (!reader.ok() || reader.remaining() != 0) return fail("malformed");

  Signature signature;
  std::ranges::copy(plaintext.last(sizeof(Signature)), signature.begin());
  if (!verify(credential->signing_key, signed_text(kind, at, body), signature)) {
    return fail("its signature is wrong");
  }
  record.credential = std::move(*credential);
  record.nat = static_cast<NatMapping>(nat);
  record.relays = std::move(*relays);
  record.candidates = std::move(*candidates);
  return record;
}

Result<NodeRecord> unexpired(Result<NodeRecord> record, WallTime now) {
  if (record && record->expires <= now) return fail("expired");
  return record;
}

}  // namespace

DirectoryValue NodeRecord::seal(const Identity& identity, const NetworkKey& network,
                                const DirectoryKey& at) const {
  return seal_box(network.record_seal(), kRecord, at, encode(*this, identity, kRecord, at, {}));
}

Result<NodeRecord> NodeRecord::open(ByteView value, const NetworkKey& network,
                                    const DirectoryKey& at, WallTime now) {
  if (value.size() > kMaxValue) return fail("node record: longer than 1,000 bytes");
  const auto plaintext = open_box(network.record_seal(), kRecord, at, value);
  if (!plaintext) return std::unexpected(plaintext.error().within("node record"));
  auto record = unexpired(decode(*plaintext, 0, kRecord, at), now);
  if (!record) return std::unexpected(record.error().within("node record"));
  return record;
}

DirectoryValue Rendezvous::seal(const Identity& identity, const NetworkKey& network,
                                const NodeId& to) const {
  const DirectoryKey at = network.inbox_key(to);
  std::array<std::uint8_t, 8> prefix;
  store_le(prefix.data(), to_wire(sent));
  return seal_box(network.record_seal(), kRendezvous, at,
                  encode(from, identity, kRendezvous, at, prefix));
}

Result<Rendezvous> Rendezvous::open(ByteView value, const NetworkKey& network, const NodeId& self,
                                    WallTime now) {
  if (value.size() > kMaxValue) return fail("rendezvous: longer than 1,000 bytes");
  const DirectoryKey at = network.inbox_key(self);
  const auto plaintext = open_box(network.record_seal(), kRendezvous, at, value);
  if (!plaintext) return std::unexpected(plaintext.error().within("rendezvous"));
  Rendezvous rendezvous;
  if (plaintext->size() < 8) return fail("rendezvous: cut off");
  rendezvous.sent = from_wire(load_le<std::uint64_t>(plaintext->data()));
  auto record = unexpired(decode(*plaintext, 8, kRendezvous, at), now);
  if (!record) return std::unexpected(record.error().within("rendezvous"));
  // Compared this way round nothing overflows, whatever the sender wrote.
  if (rendezvous.sent < now - kRendezvousLife) return fail("rendezvous: older than two minutes");
  if (rendezvous.sent > now + kRendezvousLife) return fail("rendezvous: from the future");
  rendezvous.from = std::move(*record);
  return rendezvous;
}

}  // namespace ipop::overlay
