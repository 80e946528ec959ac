#include "overlay/peer/known_peers.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.hpp"
#include "overlay/peer/handshaker.hpp"
#include "overlay/peer/message.hpp"
#include "overlay/trust/state_file.hpp"

namespace ipop::overlay {
namespace {

using Json = nlohmann::json;

constexpr int kVersion = 1;
constexpr std::size_t kMaxFile = 4u << 20;

std::int64_t to_seconds(WallTime time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::optional<KnownPeer> parse_peer(const Json& entry) {
  if (!entry.is_object()) return std::nullopt;
  const auto credential_text = entry.find("credential");
  const auto endpoints = entry.find("endpoints");
  const auto last_heard = entry.find("last_heard");
  if (credential_text == entry.end() || !credential_text->is_string() || endpoints == entry.end() ||
      !endpoints->is_array() || last_heard == entry.end() || !last_heard->is_number_integer()) {
    return std::nullopt;
  }
  const auto encoded = from_base64(credential_text->get_ref<const std::string&>());
  if (!encoded) return std::nullopt;
  auto credential = Credential::parse(*encoded);
  if (!credential) return std::nullopt;
  KnownPeer peer{.credential = std::move(*credential), .candidates = {}};
  const std::int64_t seconds = last_heard->get<std::int64_t>();
  constexpr std::int64_t kFarFuture = 1'000'000'000'000 / 128;
  if (seconds < 0 || seconds > kFarFuture) return std::nullopt;
  peer.last_heard = WallTime(std::chrono::seconds(seconds));
  for (const Json& text : *endpoints) {
    if (!text.is_string() || peer.candidates.size() >= message::kMaxCandidates) break;
    const auto endpoint = Endpoint::parse(text.get_ref<const std::string&>());
    if (endpoint) peer.candidates.push_back({*endpoint, CandidateKind::kRouted});
  }
  return peer;
}

}  // namespace

std::string KnownPeers::encode(const std::vector<KnownPeer>& peers) {
  Json list = Json::array();
  for (const KnownPeer& peer : peers) {
    Json endpoints = Json::array();
    for (const Candidate& candidate : peer.candidates) {
      endpoints.push_back(candidate.endpoint.to_string());
    }
    list.push_back({{"credential", to_base64(peer.credential.encoded)},
                    {"endpoints", std::move(endpoints)},
                    {"last_heard", to_seconds(peer.last_heard)}});
  }
  return Json{{"version", kVersion}, {"peers", std::move(list)}}.dump(1) + "\n";
}

Result<std::vector<KnownPeer>> KnownPeers::parse(std::string_view text) {
  const Json root = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object() || !root.contains("version") || root["version"] != kVersion ||
      !root.contains("peers") || !root["peers"].is_array()) {
    return fail("not a list of known peers");
  }
  std::vector<KnownPeer> peers;
  for (const Json& entry : root["peers"]) {
    if (peers.size() >= kMaxPeers) break;
    if (auto peer = parse_peer(entry)) peers.push_back(std::move(*peer));
  }
  return peers;
}

std::vector<KnownPeer> KnownPeers::load(std::string& warning) const {
  if (file_.empty()) return {};
  std::error_code error;
  if (!std::filesystem::exists(file_, error)) return {};
  const auto text = read_state_file(file_, kMaxFile);
  Result<std::vector<KnownPeer>> peers = fail("unreadable");
  if (text) {
    peers = parse(*text);
  } else {
    peers = std::unexpected(text.error());
  }
  if (peers) return std::move(*peers);
  std::filesystem::path aside = file_;
  aside += ".bad";
  std::filesystem::rename(file_, aside, error);
  warning = file_.string() + ": " + peers.error().message + "; kept as " + aside.string() +
            ", going on without it";
  return {};
}

Result<void> KnownPeers::save(const PeerTable& peers, Now now) const {
  if (file_.empty()) return {};
  std::vector<KnownPeer> known;
  peers.for_each([&](const Peer& peer) {
    const bool heard = peer.last_heard != Instant{};
    if (!peer.credential || peer.refused) return;
    if (!heard && peer.remembered_heard == WallTime{}) return;
    KnownPeer entry{.credential = *peer.credential, .candidates = {}};
    entry.last_heard = heard ? now.wall - (now.mono - peer.last_heard) : peer.remembered_heard;
    for (const Endpoint& endpoint : Handshaker::targets(peer)) {
      if (entry.candidates.size() >= message::kMaxCandidates) break;
      // Circuits do not outlive us, nor what a NAT keeps for one socket.
      if (endpoint.label != 0 || endpoint.socket != 0) continue;
      entry.candidates.push_back({endpoint, CandidateKind::kRouted});
    }
    known.push_back(std::move(entry));
  });
  std::ranges::sort(known, std::greater{}, &KnownPeer::last_heard);
  if (known.size() > kMaxPeers) known.resize(kMaxPeers);
  return write_state_file(file_, encode(known), IfExists::kReplace);
}

}  // namespace ipop::overlay
