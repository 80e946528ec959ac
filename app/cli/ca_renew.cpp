#include <fmt/format.h>

#include <algorithm>
#include <ostream>

#include "app/ca/ca_folder.hpp"
#include "app/cli/ca.hpp"
#include "overlay/trust/state_file.hpp"
#include "overlay/trust/x509/openssl.hpp"

namespace ipop::app {
namespace {

namespace fs = std::filesystem;

struct CaRenewOptions {
  fs::path certificate;
  fs::path folder = kCaFolder;
  fs::path out;
  unsigned days = 365;
};

void renew(Context& context, const CaRenewOptions& options) {
  const std::string text = or_throw(overlay::read_state_file(options.certificate, x509::kMaxPem));
  const auto parsed = x509::Certificate::parse_pem(text, x509::kMaxChain);
  if (!parsed) {
    throw std::runtime_error(options.certificate.string() + ": " + parsed.error().message);
  }
  const x509::Certificate& old = parsed->front();
  CaFolder ca(options.folder);
  const auto entry = std::ranges::find(ca.entries(), old.serial(), &CaFolder::Entry::serial);
  const auto own = entry == ca.entries().end() ? std::nullopt : ca.certificate(*entry);
  if (!own || !(*own == old)) {
    throw std::runtime_error(old.name() + "'s certificate was not signed by this CA");
  }
  if (entry->revoked) throw std::runtime_error(old.name() + "'s certificate is revoked");
  x509::Validity validity = validity_of(options.days, read_clock().wall);
  validity.until = std::min(validity.until, ca.issuer().certificate().not_after());
  const auto certificate =
      or_throw(ca.issuer().sign(X509_get0_pubkey(old.handle()), names_in(old), validity));
  const bool replace = options.out.empty();
  const fs::path out = replace ? options.certificate : options.out;
  ca.add(certificate, out, replace);
  context.out << fmt::format("wrote {}: {}, until {}\n", out.string(), describe(names_in(old)),
                             x509::to_text(certificate.not_after()))
              << "\nNext: take it to the machine, and there: ipop reload\n";
}

}  // namespace

void add_ca_renew(CLI::App& ca, Context& context) {
  const auto options = std::make_shared<CaRenewOptions>();
  CLI::App* command =
      ca.add_subcommand("renew", "Sign a certificate again, for the same key, names and addresses");
  command->add_option("certificate", options->certificate, "The certificate's file")->required();
  add_ca_folder(*command, options->folder);
  command->add_option("--out", options->out, "The new one's file (default: in its place)");
  command->add_option("--days", options->days, "How long it counts")->capture_default_str();
  command->callback([&context, options] { renew(context, *options); });
}

}  // namespace ipop::app
