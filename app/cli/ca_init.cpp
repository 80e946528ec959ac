#include <fmt/format.h>

#include <ostream>

#include "app/ca/ca_folder.hpp"
#include "app/cli/ca.hpp"
#include "overlay/trust/x509/openssl.hpp"

namespace ipop::app {
namespace {

struct CaInitOptions {
  std::string name;
  std::filesystem::path folder = kCaFolder;
  std::string key = "ecdsa-p256";
  unsigned days = 3650;
  std::vector<std::string> permitted;
};

void make_ca(Context& context, const CaInitOptions& options) {
  x509::CaTerms terms{.name = options.name,
                      .validity = validity_of(options.days, read_clock().wall),
                      .permitted = {},
                      .depth = 0};
  for (const std::string& text : options.permitted) {
    const auto prefix = Prefix::parse(text);
    if (!prefix || *prefix != prefix->masked()) {
      throw UsageError("a subnet is like 192.168.10.0/24, without host bits, not " + text);
    }
    terms.permitted.push_back(*prefix);
  }
  CaFolder::create(options.folder, parse_key_kind(options.key), terms);
  const auto file = [&](const char* name) { return (options.folder / name).string(); };
  context.out << fmt::format("wrote {}: the CA's certificate, for trust.ca of all machines\n",
                             file("cacert.pem"))
              << fmt::format("wrote {}: the CA's private key, which stays here\n",
                             file("cakey.pem"))
              << fmt::format("wrote {}: what is revoked (nothing yet)\n", file("crl.pem"))
              << fmt::format("it counts until {}\n", x509::to_text(terms.validity.until))
              << "\nNext: `ipop ca request` on each machine, then `ipop ca sign` here\n";
}

}  // namespace

void add_ca_init(CLI::App& ca, Context& context) {
  const auto options = std::make_shared<CaInitOptions>();
  CLI::App* command = ca.add_subcommand("init", "Make a CA");
  command->add_option("name", options->name, "The CA's name, for people")->required();
  add_ca_folder(*command, options->folder);
  add_key_kind(*command, options->key);
  command->add_option("--days", options->days, "How long it counts")->capture_default_str();
  command
      ->add_option("--permit", options->permitted,
                   "A subnet that all addresses have to be in; may be repeated. None: any address")
      ->allow_extra_args(false);
  command->callback([&context, options] { make_ca(context, *options); });
}

}  // namespace ipop::app
