#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <ostream>

#include "app/ca/ca_folder.hpp"
#include "app/cli/ca.hpp"
#include "overlay/trust/x509/openssl.hpp"

namespace ipop::app {
namespace {

struct CaListOptions {
  std::filesystem::path folder = kCaFolder;
  bool json = false;
};

const char* state_of(const CaFolder::Entry& entry, WallTime now) {
  if (entry.revoked) return "revoked";
  return entry.expires <= now ? "expired" : "valid";
}

void list(Context& context, const CaListOptions& options) {
  const WallTime now = read_clock().wall;
  const CaFolder ca(options.folder);
  auto json = nlohmann::ordered_json::array();
  for (const CaFolder::Entry& entry : ca.entries()) {
    const auto known = ca.certificate(entry);
    const x509::HostNames names =
        known ? names_in(*known)
              : x509::HostNames{
                    .name = entry.subject, .groups = {}, .addresses = {}, .dns_names = {}};
    std::vector<std::string> addresses;
    for (const IpAddress& address : names.addresses)
      addresses.push_back(address.to_string());
    if (options.json) {
      json.push_back({{"state", state_of(entry, now)},
                      {"name", names.name},
                      {"addresses", addresses},
                      {"groups", names.groups},
                      {"expires", x509::to_text(entry.expires)},
                      {"serial", entry.serial}});
    } else {
      context.out << fmt::format("{:8} until {}  {}  {}\n", state_of(entry, now),
                                 x509::to_text(entry.expires), entry.serial, describe(names));
    }
  }
  if (options.json) {
    context.out << json.dump(2) << '\n';
  } else if (ca.entries().empty()) {
    context.out << "nothing was signed yet\n";
  }
}

}  // namespace

void add_ca_list(CLI::App& ca, Context& context) {
  const auto options = std::make_shared<CaListOptions>();
  CLI::App* command = ca.add_subcommand("list", "Show what was signed, and what still counts");
  add_ca_folder(*command, options->folder);
  command->add_flag("--json", options->json, "As JSON");
  command->callback([&context, options] { list(context, *options); });
}

}  // namespace ipop::app
