#include <fmt/format.h>
#include <openssl/crypto.h>
#include <unistd.h>

#include <ostream>

#include "app/cli/ca.hpp"
#include "app/cli/init_files.hpp"
#include "overlay/trust/state_file.hpp"
#include "overlay/trust/x509/request.hpp"

namespace ipop::app {
namespace {

namespace fs = std::filesystem;
using namespace overlay;

struct CaRequestOptions {
  std::string name;
  std::vector<std::string> addresses;
  std::vector<std::string> groups;
  fs::path folder = "/etc/ipop";
  std::string key = "ecdsa-p256";
};

std::string own_name() {
  char text[256] = "";
  ::gethostname(text, sizeof text - 1);
  const std::string name = text;
  return name.substr(0, name.find('.'));
}

void make_request(Context& context, const CaRequestOptions& options) {
  const fs::path key_file = options.folder / "host-key.pem";
  const fs::path request_file = options.folder / "host-request.pem";
  x509::HostNames names{.name = options.name.empty() ? own_name() : options.name,
                        .groups = options.groups,
                        .addresses = parse_addresses(options.addresses),
                        .dns_names = {}};
  names.dns_names = {names.name};
  // A key that is there already is used again: a second request asks for the same host.
  const bool had_key = fs::symlink_status(key_file).type() != fs::file_type::not_found;
  const auto key = or_throw(had_key ? x509::HostKey::load(key_file)
                                    : x509::HostKey::generate(parse_key_kind(options.key)));
  const auto request = x509::Request::make(key, names);
  if (!request) throw UsageError(request.error().message);
  NewFiles files;
  files.make_directory(fs::absolute(options.folder), static_cast<fs::perms>(0755));
  if (!had_key) {
    std::string text = key.pem();
    or_throw(write_state_file(key_file, text, IfExists::kRefuse));
    files.made(key_file);
    OPENSSL_cleanse(text.data(), text.size());
  }
  or_throw(write_state_file(request_file, request->pem(), IfExists::kReplace));
  files.keep();
  if (!had_key) {
    context.out << fmt::format("wrote {}: this machine's private key, which stays here\n",
                               key_file.string());
  }
  context.out << fmt::format("wrote {}: asks for {}\n", request_file.string(), describe(names))
              << "\nNext: take the request to the CA, and there: ipop ca sign host-request.pem";
  for (const IpAddress& address : names.addresses)
    context.out << " --address " << address.to_string();
  context.out << '\n';
}

}  // namespace

void add_ca_request(CLI::App& ca, Context& context) {
  const auto options = std::make_shared<CaRequestOptions>();
  CLI::App* command = ca.add_subcommand(
      "request", "On a host: make its key, which never leaves it, and the request for a CA");
  command
      ->add_option("--address", options->addresses,
                   "An address of this machine in the network; may be repeated")
      ->required()
      ->allow_extra_args(false);
  command->add_option("--name", options->name, "Its name (default: the machine's)");
  command->add_option("--group", options->groups, "A group that it is in; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--dir", options->folder, "The folder for host-key.pem and host-request.pem")
      ->capture_default_str();
  add_key_kind(*command, options->key);
  command->callback([&context, options] { make_request(context, *options); });
}

}  // namespace ipop::app
