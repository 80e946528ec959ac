#include "overlay/trust/own_credential.hpp"

#include "base/text.hpp"
#include "overlay/trust/state_file.hpp"

namespace ipop::overlay {
namespace {

constexpr std::size_t kMaxFile = 4096;

Result<Credential> load(const std::filesystem::path& file, const Identity& identity) {
  auto text = read_state_file(file, kMaxFile);
  if (!text) return std::unexpected(text.error());
  while (text->ends_with('\n'))
    text->pop_back();
  const auto encoded = from_base64(*text);
  if (!encoded) return fail("not a credential");
  auto credential = Credential::parse(*encoded);
  if (credential && credential->signing_key != identity.signing_key()) {
    return fail("the credential of another key");
  }
  return credential;
}

}  // namespace

Result<Credential> own_credential(const Identity& identity, const std::vector<Prefix>& addresses,
                                  const std::vector<Prefix>& routes, const std::string& hostname,
                                  const std::filesystem::path& file, WallTime now,
                                  std::string& warning) {
  WallTime claimed_at = now;
  std::error_code error;
  if (std::filesystem::exists(file, error)) {
    const auto stored = load(file, identity);
    if (!stored) {
      warning = file.string() + ": " + stored.error().message + "; a new one is made";
    } else if (stored->addresses == addresses && stored->claimed_at <= now) {
      claimed_at = stored->claimed_at;
      if (stored->routes == routes && stored->hostname == hostname) return *stored;
    }
  }
  Credential credential = Credential::make(identity, addresses, routes, hostname, claimed_at);
  const auto written =
      write_state_file(file, to_base64(credential.encoded) + "\n", IfExists::kReplace);
  if (!written) return std::unexpected(written.error());
  return credential;
}

}  // namespace ipop::overlay
