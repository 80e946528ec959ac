// What the directory holds of a node, under each of its addresses and its id: the credential and
// how to reach it now. Signed by the node, sealed for the network. Bytes from the DHT: opening
// checks everything; a record that does not open is dropped and counted by the caller.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "overlay/directory/directory.hpp"
#include "overlay/nat/mappings.hpp"
#include "overlay/trust/credential.hpp"

namespace ipop::overlay {

enum class CandidateKind : std::uint8_t { kLan = 0, kRouted = 1, kMapped = 2 };

// An endpoint where a node may be reached.
struct Candidate {
  Endpoint endpoint;
  CandidateKind kind = CandidateKind::kRouted;
  friend auto operator<=>(const Candidate&, const Candidate&) noexcept = default;
};

[[nodiscard]] inline bool names(const std::vector<Candidate>& candidates,
                                const Endpoint& endpoint) noexcept {
  return std::ranges::find(candidates, endpoint, &Candidate::endpoint) != candidates.end();
}

// A relay that a node can be reached through: enough to call it without another lookup.
struct RelayHint {
  SigningPublicKey key{};
  Endpoint endpoint;
  friend bool operator==(const RelayHint&, const RelayHint&) = default;
};

struct NodeRecord {
  static constexpr std::uint8_t kVersion = 2;  // of its encoding
  static constexpr std::size_t kMaxRelays = 3;

  Credential credential;
  std::uint64_t sequence = 0;  // grows with every change; of two records the larger counts
  WallTime expires{};
  NatMapping nat = NatMapping::kUnknown;  // how the node looks from outside
  std::vector<RelayHint> relays;          // at most kMaxRelays, the nearest first
  std::vector<Candidate> candidates;      // at most 16

  // Signed with `identity` (which must be the credential's), sealed, bound to `at`; at most 1,000
  // bytes, whatever is in it.
  [[nodiscard]] DirectoryValue seal(const Identity& identity, const NetworkKey& network,
                                    const DirectoryKey& at) const;
  // The inverse; fails if sealed for another network or key, damaged, forged, or expired at `now`.
  [[nodiscard]] static Result<NodeRecord> open(ByteView value, const NetworkKey& network,
                                               const DirectoryKey& at, WallTime now);
};

// "I want to talk to you, here is my record": stored in the inbox of the other node.
struct Rendezvous {
  NodeRecord from;
  WallTime sent{};

  [[nodiscard]] DirectoryValue seal(const Identity& identity, const NetworkKey& network,
                                    const NodeId& to) const;
  // Fails also if it is older than two minutes at `now`, or from two minutes ahead.
  [[nodiscard]] static Result<Rendezvous> open(ByteView value, const NetworkKey& network,
                                               const NodeId& self, WallTime now);
};

}  // namespace ipop::overlay
