#include "overlay/status.hpp"

#include <algorithm>

#include "base/ip.hpp"

namespace ipop::overlay {
namespace {

char lower(char letter) noexcept {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower, lower);
}

bool starts_with_ignoring_case(std::string_view text, std::string_view start) noexcept {
  return text.size() >= start.size() && equal_ignoring_case(text.substr(0, start.size()), start);
}

// An address names the peer that holds it; of two routes the longer one is meant, as in the table
// of the engine.
Result<const PeerStatus*> find_by_address(const std::vector<PeerStatus>& peers,
                                          const IpAddress& address) {
  const PeerStatus* best = nullptr;
  unsigned best_length = 0;
  for (const PeerStatus& peer : peers) {
    for (const std::string& text : peer.addresses) {
      const auto prefix = Prefix::parse(text);
      if (!prefix || !prefix->contains(address)) continue;
      if (best != nullptr && prefix->length <= best_length) continue;
      best = &peer;
      best_length = prefix->length;
    }
  }
  if (best == nullptr) return fail("no peer with the address " + address.to_string() + " is known");
  return best;
}

}  // namespace

const char* name(PeerState state) noexcept {
  switch (state) {
    case PeerState::kIdle:
      return "idle";
    case PeerState::kConnecting:
      return "connecting";
    case PeerState::kConnected:
      return "connected";
    case PeerState::kRefused:
      return "refused";
  }
  return "idle";
}

const char* name(PathKind path) noexcept {
  switch (path) {
    case PathKind::kNone:
      return "none";
    case PathKind::kLan:
      return "lan";
    case PathKind::kDirect:
      return "direct";
    case PathKind::kRelay:
      return "relay";
  }
  return "none";
}

Result<const PeerStatus*> find_peer(const std::vector<PeerStatus>& peers, std::string_view who) {
  if (who.empty()) return fail("the name of a peer is empty");
  if (const auto address = IpAddress::parse(who)) return find_by_address(peers, *address);

  const PeerStatus* named = nullptr;
  const PeerStatus* prefixed = nullptr;
  std::size_t names = 0;
  std::size_t prefixes = 0;
  for (const PeerStatus& peer : peers) {
    if (equal_ignoring_case(peer.hostname, who)) {
      named = &peer;
      ++names;
    }
    if (starts_with_ignoring_case(peer.node_id, who)) {
      prefixed = &peer;
      ++prefixes;
    }
  }
  const std::string quoted = "'" + std::string(who) + "'";
  if (names > 1) {
    return fail(std::to_string(names) + " peers are called " + quoted +
                ": use an address or a node id");
  }
  if (names == 1) return named;
  if (prefixes > 1) {
    return fail(std::to_string(prefixes) + " node ids begin with " + quoted +
                ": use more digits of it");
  }
  if (prefixes == 1) return prefixed;
  return fail("no peer has the address, name or node id " + quoted);
}

}  // namespace ipop::overlay
