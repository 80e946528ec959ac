// The peers that this node talked to, remembered over restarts, so that it finds them again without
// any directory: a JSON file of credentials and endpoints, mode 0600. A damaged file is kept aside
// and reported, never fatal. Overlay thread.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "overlay/peer/peer_table.hpp"

namespace ipop::overlay {

struct KnownPeer {
  Credential credential;
  std::vector<Candidate> candidates;  // the path that was in use first
  WallTime last_heard{};
};

class KnownPeers {
 public:
  static constexpr std::size_t kMaxPeers = 1024;  // the most recently heard ones are kept

  // An empty `file`: nothing is remembered.
  explicit KnownPeers(std::filesystem::path file) : file_(std::move(file)) {}

  // Nothing if there is no file. A file that is no good is renamed to *.bad; `warning` says so.
  [[nodiscard]] std::vector<KnownPeer> load(std::string& warning) const;
  // Every peer with a verified credential that was heard, now or before.
  [[nodiscard]] Result<void> save(const PeerTable& peers, Now now) const;

  // The file's content, and back. Entries whose credential does not verify are left out.
  [[nodiscard]] static std::string encode(const std::vector<KnownPeer>& peers);
  [[nodiscard]] static Result<std::vector<KnownPeer>> parse(std::string_view text);

 private:
  std::filesystem::path file_;
};

}  // namespace ipop::overlay
