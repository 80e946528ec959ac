#include "app/cli/ca.hpp"

namespace ipop::app {
namespace {

using overlay::x509::KeyKind;

constexpr unsigned kMostDays = 36'500;
// Clocks of hosts differ; a certificate is to count at once.
constexpr auto kEarlier = std::chrono::minutes(10);

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

}  // namespace

void add_ca(CLI::App& app, Context& context) {
  CLI::App* ca = app.add_subcommand(
      "ca", "A small certificate authority: who may be in the network, with which addresses");
  ca->require_subcommand(1);
  add_ca_init(*ca, context);
  add_ca_request(*ca, context);
  add_ca_sign(*ca, context);
  add_ca_renew(*ca, context);
  add_ca_revoke(*ca, context);
  add_ca_list(*ca, context);
}

void add_ca_folder(CLI::App& command, std::filesystem::path& folder) {
  command.add_option("--dir", folder, "The CA's folder")->capture_default_str();
}

void add_key_kind(CLI::App& command, std::string& kind) {
  command
      .add_option("--key", kind,
                  "The kind of key: ecdsa-p256, ecdsa-p384, ed25519, rsa-2048 or "
                  "rsa-3072")
      ->capture_default_str();
}

KeyKind parse_key_kind(const std::string& kind) {
  if (kind == "ecdsa-p256") return KeyKind::kEcdsaP256;
  if (kind == "ecdsa-p384") return KeyKind::kEcdsaP384;
  if (kind == "ed25519") return KeyKind::kEd25519;
  if (kind == "rsa-2048") return KeyKind::kRsa2048;
  if (kind == "rsa-3072") return KeyKind::kRsa3072;
  throw UsageError("a key is ecdsa-p256, ecdsa-p384, ed25519, rsa-2048 or rsa-3072, not " + kind);
}

std::vector<IpAddress> parse_addresses(const std::vector<std::string>& texts) {
  std::vector<IpAddress> addresses;
  for (const std::string& text : texts) {
    const auto address = IpAddress::parse(text);
    if (!address) throw UsageError("an address is like 192.168.10.10 or fd00::10, not " + text);
    addresses.push_back(*address);
  }
  return addresses;
}

overlay::x509::Validity validity_of(unsigned days, WallTime now) {
  if (days < 1 || days > kMostDays) throw UsageError("a certificate counts for 1 to 36500 days");
  return {now - kEarlier, now + std::chrono::hours(24) * days};
}

std::string describe(const overlay::x509::HostNames& names) {
  std::vector<std::string> words{names.name};
  for (const IpAddress& address : names.addresses)
    words.push_back(address.to_string());
  return joined(words) + (names.groups.empty() ? "" : "; groups " + joined(names.groups));
}

overlay::x509::HostNames names_in(const overlay::x509::Certificate& certificate) {
  return {.name = certificate.name(),
          .groups = certificate.groups(),
          .addresses = certificate.addresses(),
          .dns_names = certificate.dns_names()};
}

}  // namespace ipop::app
