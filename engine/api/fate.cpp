#include "engine/api/fate.hpp"

namespace ipop::engine {
namespace {

constexpr std::array<const char*, kFateCount> kNames{
    "sent",
    "delivered",
    "relayed",
    "punted",
    "keepalive",
    "consumed",
    "host_malformed",
    "host_not_ip",
    "host_multicast",
    "host_too_big",
    "staging_full",
    "staging_expired",
    "unreachable",
    "host_full",
    "wire_malformed",
    "wire_unknown_session",
    "wire_expired",
    "wire_forged",
    "wire_replayed",
    "inner_malformed",
    "source_not_allowed",
    "punt_full",
    "wire_full",
    "no_session",
    "no_path",
    "relay_unknown",
    "relay_refused",
    "relay_loop",
    "relay_limited",
    "handover_full",
    "firewall_in",
    "firewall_out",
    "firewall_fragment",
    "firewall_malformed",
    "firewall_full",
};
static_assert(kNames.back() != nullptr);

}  // namespace

const char* name(Fate fate) noexcept {
  return kNames[static_cast<std::size_t>(fate)];
}

}  // namespace ipop::engine
