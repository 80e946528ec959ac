// What the directory holds of a CA's newest revocation list, where everybody in the network looks
// for it: the list, or, if it is long, the digests of its parts, which stand in places of their own
// that follow from their digests. So nobody can put another part in the place of one. Sealed for
// the network; that the CA signed the list, the list itself shows. Pure; overlay thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/error.hpp"
#include "overlay/directory/directory.hpp"
#include "overlay/trust/network_key.hpp"
#include "overlay/trust/x509/revocation_list.hpp"

namespace ipop::overlay {

struct RevocationNotice {
  using PartDigest = std::array<std::uint8_t, 16>;  // BLAKE2b
  static constexpr std::size_t kPart = 1000;        // bytes of each part but the last
  static constexpr std::size_t kMostParts = x509::kMaxList / kPart;

  WallTime stored{};               // when its sender stored this copy, in seconds
  x509::RevocationList::Age age;   // as its sender says
  std::size_t size = 0;            // bytes of the list, at most x509::kMaxList
  std::vector<std::uint8_t> list;  // all of it, up to kPart bytes; empty = see parts
  std::vector<PartDigest> parts;

  [[nodiscard]] static RevocationNotice of(const x509::RevocationList& list, WallTime now);
  [[nodiscard]] bool is_of_same_list(const RevocationNotice& other) const noexcept {
    return age == other.age && size == other.size && list == other.list && parts == other.parts;
  }

  // `signer`: the key of the CA whose list it is.
  [[nodiscard]] DirectoryValue seal(const NetworkKey& network, const x509::KeyId& signer) const;
  // The inverse; fails for what is damaged, of another network or place, or not of this form.
  [[nodiscard]] static Result<RevocationNotice> open(ByteView value, const NetworkKey& network,
                                                     const x509::KeyId& signer);
};

[[nodiscard]] RevocationNotice::PartDigest part_digest(ByteView part);
[[nodiscard]] DirectoryValue seal_part(ByteView part, const NetworkKey& network);
// Fails also for another part than the one with that digest.
[[nodiscard]] Result<std::vector<std::uint8_t>> open_part(
    ByteView value, const NetworkKey& network, const RevocationNotice::PartDigest& digest);

}  // namespace ipop::overlay
