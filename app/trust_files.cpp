#include "app/trust_files.hpp"

#include <algorithm>

#include "overlay/trust/state_file.hpp"

namespace ipop::app {
namespace {

using namespace overlay::x509;

class Reader {
 public:
  Reader(const conf::Config& config, const std::filesystem::path& file)
      : config_(config), file_(file.string()) {}

  void read_authorities(TrustFiles& files) {
    for (const auto& name : config_.trust.ca) {
      const auto text = read("trust.ca", name);
      if (!text) continue;
      auto found = Certificate::parse_pem(*text, kMaxAuthorities);
      if (!found) {
        complain("trust.ca", name.string() + ": " + found.error().message);
        continue;
      }
      for (Certificate& one : *found)
        files.authorities.push_back(std::move(one));
    }
    if (!errors_.empty()) return;
    if (const auto made = Authorities::make(files.authorities, {}); !made)
      complain("trust.ca", made.error().message);
  }

  void read_certificate(TrustFiles& files) {
    const auto text = read("trust.cert", config_.trust.cert);
    if (!text) return;
    // One more, as some put the CA's own behind the others.
    auto chain = Certificate::parse_pem(*text, kMaxChain + 1);
    if (!chain)
      return complain("trust.cert", config_.trust.cert.string() + ": " + chain.error().message);
    files.chain = std::move(*chain);
    const Certificate& own = files.chain.front();
    if (own.is_ca()) complain("trust.cert", own.name() + " is the certificate of a CA");
    const auto named = own.addresses();
    std::vector<Prefix> wanted{config_.network.address};
    if (config_.network.address6) wanted.push_back(*config_.network.address6);
    for (const Prefix& address : wanted) {
      if (std::ranges::find(named, address.address) != named.end()) continue;
      complain("trust.cert", "the certificate of " + own.name() + " names " + list_of(named) +
                                 ", and not " + address.address.to_string() +
                                 ", which network.address says: have it signed for that");
    }
  }

  void read_key(TrustFiles& files) {
    auto key = HostKey::load(config_.trust.key);
    if (!key) return complain("trust.key", key.error().message);
    if (!files.chain.empty() && !key->is_of(files.chain.front())) {
      complain("trust.key", config_.trust.key.string() + " is not the key of trust.cert (" +
                                files.chain.front().name() + ")");
    }
    files.key = std::move(*key);
  }

  void read_lists(TrustFiles& files) {
    if (config_.trust.crl.empty()) return;
    const auto text = read("trust.crl", config_.trust.crl);
    if (!text) return;
    auto lists = RevocationList::parse_pem(*text, kMaxLists);
    if (!lists)
      return complain("trust.crl", config_.trust.crl.string() + ": " + lists.error().message);
    files.lists = std::move(*lists);
    if (files.authorities.empty() || !errors_.empty()) return;
    auto authorities = Authorities::make(files.authorities, files.chain);
    for (const RevocationList& list : files.lists) {
      if (!authorities) return;
      if (const auto added = authorities->add(list); !added)
        complain("trust.crl", added.error().message);
    }
  }

  [[nodiscard]] std::vector<conf::ConfigError> take() { return std::move(errors_); }

 private:
  void complain(const char* key, const std::string& message) {
    errors_.push_back({file_, 0, 0, std::string(key) + ": " + message});
  }

  [[nodiscard]] std::optional<std::string> read(const char* key,
                                                const std::filesystem::path& name) {
    auto text = overlay::read_state_file(name, kMaxPem);
    if (text) return std::move(*text);
    complain(key, text.error().message);
    return std::nullopt;
  }

  const conf::Config& config_;
  std::string file_;
  std::vector<conf::ConfigError> errors_;
};

}  // namespace

std::expected<TrustFiles, std::vector<conf::ConfigError>> read_trust_files(
    const conf::Config& config, const std::filesystem::path& file) {
  TrustFiles files;
  if (config.trust.ca.empty()) return files;
  Reader reader(config, file);
  reader.read_authorities(files);
  reader.read_certificate(files);
  reader.read_key(files);
  reader.read_lists(files);
  if (auto errors = reader.take(); !errors.empty()) return std::unexpected(std::move(errors));
  return files;
}

}  // namespace ipop::app
