#include <fmt/format.h>

#include <ostream>

#include "app/ca/ca_folder.hpp"
#include "app/cli/ca.hpp"
#include "overlay/trust/state_file.hpp"

namespace ipop::app {
namespace {

namespace fs = std::filesystem;

struct CaRevokeOptions {
  std::vector<std::string> whom;
  fs::path folder = kCaFolder;
};

// A serial number, also of a certificate that is revoked already, a file, a name or an address.
std::vector<std::string> serials_of(const CaFolder& ca, const std::string& who, WallTime now) {
  for (const CaFolder::Entry& entry : ca.entries())
    if (entry.serial == who) return {who};
  std::vector<std::string> serials;
  for (const CaFolder::Entry* entry : ca.find(who, now))
    serials.push_back(entry->serial);
  std::error_code ignored;
  if (serials.empty() && fs::is_regular_file(who, ignored)) {
    const std::string text = or_throw(overlay::read_state_file(who, x509::kMaxPem));
    const auto certificates = or_throw(x509::Certificate::parse_pem(text, x509::kMaxChain));
    const std::string serial = certificates.front().serial();
    for (const CaFolder::Entry& entry : ca.entries())
      if (entry.serial == serial) return {serial};
  }
  if (serials.empty()) {
    throw std::runtime_error("no certificate of this CA that counts is " + who +
                             "'s: `ipop ca list` shows them. Nothing was revoked");
  }
  return serials;
}

void revoke(Context& context, const CaRevokeOptions& options) {
  const WallTime now = read_clock().wall;
  CaFolder ca(options.folder);
  std::vector<std::string> serials;
  for (const std::string& who : options.whom) {
    for (std::string& serial : serials_of(ca, who, now))
      serials.push_back(std::move(serial));
  }
  ca.revoke(serials, now);
  for (const std::string& serial : serials)
    context.out << fmt::format("revoked serial {}\n", serial);
  context.out << fmt::format("wrote {}\n", (options.folder / "crl.pem").string())
              << "\nNext: take crl.pem to one machine (trust.crl), and there: ipop reload\n";
}

}  // namespace

void add_ca_revoke(CLI::App& ca, Context& context) {
  const auto options = std::make_shared<CaRevokeOptions>();
  CLI::App* command =
      ca.add_subcommand("revoke", "Take back certificates, and sign a new revocation list");
  command->add_option("who", options->whom, "A name, an address, a serial number or a certificate")
      ->required();
  add_ca_folder(*command, options->folder);
  command->callback([&context, options] { revoke(context, *options); });
}

}  // namespace ipop::app
