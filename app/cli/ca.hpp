// What the subcommands of `ipop ca` share: where the CA is, and how hosts are named.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "app/cli/command.hpp"
#include "overlay/trust/x509/issuer.hpp"

namespace ipop::app {

inline constexpr const char* kCaFolder = "/etc/ipop/ca";

void add_ca_init(CLI::App& ca, Context& context);
void add_ca_request(CLI::App& ca, Context& context);
void add_ca_sign(CLI::App& ca, Context& context);
void add_ca_renew(CLI::App& ca, Context& context);
void add_ca_revoke(CLI::App& ca, Context& context);
void add_ca_list(CLI::App& ca, Context& context);

void add_ca_folder(CLI::App& command, std::filesystem::path& folder);
void add_key_kind(CLI::App& command, std::string& kind);
// Each throws UsageError.
[[nodiscard]] overlay::x509::KeyKind parse_key_kind(const std::string& kind);
[[nodiscard]] std::vector<IpAddress> parse_addresses(const std::vector<std::string>& texts);
[[nodiscard]] overlay::x509::Validity validity_of(unsigned days, WallTime now);

// "192.168.10.10, alice; groups web, db": what a certificate or request says.
[[nodiscard]] std::string describe(const overlay::x509::HostNames& names);
[[nodiscard]] overlay::x509::HostNames names_in(const overlay::x509::Certificate& certificate);

}  // namespace ipop::app
