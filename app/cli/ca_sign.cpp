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

constexpr std::size_t kMaxRequest = 64 * 1024;

struct CaSignOptions {
  fs::path request;
  std::vector<std::string> addresses;
  std::vector<std::string> groups;
  std::string name;
  bool as_asked = false;
  fs::path folder = kCaFolder;
  fs::path out;
  unsigned days = 365;
};

// Two hosts must not have one address.
void refuse_taken(const CaFolder& ca, const x509::HostNames& names, WallTime now) {
  for (const IpAddress& address : names.addresses) {
    for (const CaFolder::Entry* entry : ca.find(address.to_string(), now)) {
      const auto other = ca.certificate(*entry);
      if (!other || other->name() == names.name) continue;
      throw std::runtime_error(
          fmt::format("{} is the address of {}, whose certificate counts until {}: revoke it first",
                      address.to_string(), other->name(), x509::to_text(other->not_after())));
    }
  }
}

void sign(Context& context, const CaSignOptions& options) {
  const std::string text = or_throw(overlay::read_state_file(options.request, kMaxRequest));
  const auto request = x509::Request::parse_pem(text);
  if (!request) {
    throw std::runtime_error(options.request.string() + ": " + request.error().message);
  }
  x509::HostNames names = request->names();
  if (!options.name.empty()) {
    names.name = options.name;
    names.dns_names = {options.name};
  }
  if (!options.as_asked) {
    // Whoever asks does not decide.
    if (options.addresses.empty()) {
      throw UsageError(fmt::format(
          "the request asks for {}: say which addresses it gets with --address, or --as-asked",
          describe(names)));
    }
    names.addresses = parse_addresses(options.addresses);
    names.groups = options.groups;
    names.dns_names = {names.name};
  }
  if (names.addresses.empty()) throw UsageError("the request asks for no address: add --address");
  const WallTime now = read_clock().wall;
  CaFolder ca(options.folder);
  refuse_taken(ca, names, now);
  x509::Validity validity = validity_of(options.days, now);
  validity.until = std::min(validity.until, ca.issuer().certificate().not_after());
  const auto certificate = or_throw(ca.issuer().sign(request->key(), names, validity));
  const fs::path out =
      options.out.empty() ? options.request.parent_path() / "host-cert.pem" : options.out;
  ca.add(certificate, out, false);
  context.out << fmt::format("wrote {}: {}, until {}\n", out.string(), describe(names),
                             x509::to_text(certificate.not_after()))
              << "\nNext: take it and cacert.pem to the machine, and there, in its configuration:\n"
                 "  trust: {ca: [cacert.pem], cert: host-cert.pem, key: host-key.pem}\n";
}

}  // namespace

void add_ca_sign(CLI::App& ca, Context& context) {
  const auto options = std::make_shared<CaSignOptions>();
  CLI::App* command = ca.add_subcommand("sign", "Sign a host's request");
  command->add_option("request", options->request, "The request's file")->required();
  command
      ->add_option("--address", options->addresses,
                   "An address that the host may use; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--group", options->groups, "A group that it is in; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--name", options->name, "Its name (default: as the request says)");
  command->add_flag("--as-asked", options->as_asked,
                    "Give it the addresses and groups that the request asks for");
  add_ca_folder(*command, options->folder);
  command->add_option("--out", options->out,
                      "The certificate's file (default: host-cert.pem beside the request)");
  command->add_option("--days", options->days, "How long it counts")->capture_default_str();
  command->callback([&context, options] { sign(context, *options); });
}

}  // namespace ipop::app
