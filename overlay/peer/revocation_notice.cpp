#include "overlay/peer/revocation_notice.hpp"

#include <sodium.h>

#include <algorithm>

#include "overlay/directory/sealed_box.hpp"
#include "overlay/directory/value_gate.hpp"

namespace ipop::overlay {
namespace {

using std::chrono::seconds;

constexpr std::string_view kNotice = "ipop revoked v1";
constexpr std::string_view kPartKind = "ipop revoked part v1";
constexpr std::size_t kHead = 8 + 20 + 8 + 2;
static_assert(x509::kMaxList % RevocationNotice::kPart == 0);
static_assert(kSealedBoxOverhead + kHead +
                  std::max(RevocationNotice::kPart, RevocationNotice::kMostParts * 16) <=
              ValueGate::kMaxValue);

std::size_t parts_of(std::size_t size) {
  return (size + RevocationNotice::kPart - 1) / RevocationNotice::kPart;
}

}  // namespace

RevocationNotice RevocationNotice::of(const x509::RevocationList& list, WallTime now) {
  const ByteView der = list.der();
  RevocationNotice notice{.stored = std::chrono::floor<seconds>(now),
                          .age = list.age(),
                          .size = der.size(),
                          .list = {},
                          .parts = {}};
  if (der.size() <= kPart) {
    notice.list.assign(der.begin(), der.end());
    return notice;
  }
  for (std::size_t begin = 0; begin < der.size(); begin += kPart)
    notice.parts.push_back(part_digest(der.subspan(begin, std::min(kPart, der.size() - begin))));
  return notice;
}

DirectoryValue RevocationNotice::seal(const NetworkKey& network, const x509::KeyId& signer) const {
  std::vector<std::uint8_t> plain(kHead + list.size() + parts.size() * sizeof(PartDigest));
  ByteWriter writer(plain);
  writer.le(
      static_cast<std::uint64_t>(std::chrono::floor<seconds>(stored).time_since_epoch().count()));
  writer.bytes(age.number);
  writer.le(static_cast<std::uint64_t>(age.this_update));
  writer.le(static_cast<std::uint16_t>(size));
  writer.bytes(list);
  for (const PartDigest& part : parts)
    writer.bytes(part);
  const DirectoryKey at = network.revoked_key(signer);
  return seal_box(network.record_seal(), kNotice, at, plain);
}

Result<RevocationNotice> RevocationNotice::open(ByteView value, const NetworkKey& network,
                                                const x509::KeyId& signer) {
  const auto plain = open_box(network.record_seal(), kNotice, network.revoked_key(signer), value);
  if (!plain) return std::unexpected(plain.error());
  ByteReader reader(*plain);
  RevocationNotice notice;
  const auto stored = reader.le<std::uint64_t>();
  reader.copy(notice.age.number);
  notice.age.this_update = static_cast<std::int64_t>(reader.le<std::uint64_t>());
  notice.size = reader.le<std::uint16_t>();
  // Later than anything that fits a WallTime is not a time.
  constexpr auto kEnd = static_cast<std::uint64_t>(
      std::chrono::floor<seconds>(WallTime::max()).time_since_epoch().count());
  if (!reader.ok() || stored > kEnd || notice.size == 0 || notice.size > x509::kMaxList)
    return fail("not the notice of a revocation list");
  notice.stored = WallTime(seconds(stored));
  if (notice.size <= kPart) {
    const ByteView rest = reader.rest();
    if (rest.size() != notice.size) return fail("the notice of a revocation list of another size");
    notice.list.assign(rest.begin(), rest.end());
    return notice;
  }
  notice.parts.resize(parts_of(notice.size));
  for (PartDigest& part : notice.parts)
    reader.copy(part);
  if (!reader.ok() || reader.remaining() != 0)
    return fail("the notice of a revocation list with another number of parts");
  return notice;
}

RevocationNotice::PartDigest part_digest(ByteView part) {
  RevocationNotice::PartDigest digest;
  crypto_generichash(digest.data(), digest.size(), part.data(), part.size(), nullptr, 0);
  return digest;
}

DirectoryValue seal_part(ByteView part, const NetworkKey& network) {
  return seal_box(network.record_seal(), kPartKind, network.revoked_part_key(part_digest(part)),
                  part);
}

Result<std::vector<std::uint8_t>> open_part(ByteView value, const NetworkKey& network,
                                            const RevocationNotice::PartDigest& digest) {
  auto part = open_box(network.record_seal(), kPartKind, network.revoked_part_key(digest), value);
  if (part && (part->size() > RevocationNotice::kPart || part_digest(*part) != digest))
    return fail("another part of a revocation list than the one that was asked for");
  return part;
}

}  // namespace ipop::overlay
