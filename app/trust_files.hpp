// The files that trust: in the configuration names, read and checked against each other and
// against the rest of the configuration. Start-up, `--check` and reload. Reads no clock: whether
// certificates count now, the overlay says.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <vector>

#include "conf/config.hpp"
#include "conf/error.hpp"
#include "overlay/trust/x509/authorities.hpp"

namespace ipop::app {

struct TrustFiles {
  std::vector<overlay::x509::Certificate> authorities;
  std::vector<overlay::x509::Certificate> chain;  // our own first
  std::optional<overlay::x509::HostKey> key;
  std::vector<overlay::x509::RevocationList> lists;

  // The same CAs and the same certificate: nothing that a reload would have to change.
  [[nodiscard]] bool same_certificates(const TrustFiles& other) const {
    return authorities == other.authorities && chain == other.chain;
  }
};

// All that is wrong, as of the configuration `file`. Empty without trust.ca.
[[nodiscard]] std::expected<TrustFiles, std::vector<conf::ConfigError>> read_trust_files(
    const conf::Config& config, const std::filesystem::path& file);

}  // namespace ipop::app
