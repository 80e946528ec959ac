#include "app/own_node.hpp"

#include "app/daemon_parts.hpp"
#include "app/value_or_throw.hpp"
#include "base/log.hpp"
#include "overlay/trust/own_credential.hpp"

namespace ipop::app {

overlay::Identity load_identity(const conf::Config& config) {
  const auto file = config.paths.state / "node.key";
  auto identity = overlay::Identity::load(file);
  if (!identity) {
    throw std::runtime_error(identity.error().message + ": `ipop init` makes the node's key");
  }
  return std::move(*identity);
}

overlay::Credential make_credential(const conf::Config& config, const overlay::Identity& identity) {
  std::vector<Prefix> addresses;
  for (const Prefix& own : inner_addresses(config)) {
    addresses.push_back(Prefix::host(own.address));
  }
  std::string warning;
  auto credential = value_or_throw(
      overlay::own_credential(identity, addresses, config.network.routes, config.network.hostname,
                              config.paths.state / "credential", read_clock().wall, warning),
      "credential");
  if (!warning.empty()) log::warning("{}", warning);
  return credential;
}

}  // namespace ipop::app
