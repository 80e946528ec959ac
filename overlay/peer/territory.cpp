#include "overlay/peer/territory.hpp"

#include <algorithm>
#include <utility>

namespace ipop::overlay {
namespace {

constexpr std::uint8_t kWidest4 = 8;
constexpr std::uint8_t kWidest6 = 32;

bool overlaps(const Prefix& a, const Prefix& b) {
  return a.contains(b.address) || b.contains(a.address);
}

bool any_overlaps(const std::vector<Prefix>& list, const Prefix& prefix) {
  return std::ranges::any_of(list, [&](const Prefix& each) { return overlaps(each, prefix); });
}

}  // namespace

Territory::Territory(std::vector<Prefix> subnets, std::vector<Prefix> own)
    : subnets_(std::move(subnets)), own_(std::move(own)) {}

void Territory::set_routed(const Prefix& prefix, bool routed) {
  if (routed) {
    routed_.insert(prefix);
  } else {
    routed_.erase(prefix);
  }
}

bool Territory::inside(const IpAddress& address) const noexcept {
  const auto has = [&](const Prefix& prefix) { return prefix.contains(address); };
  return std::ranges::any_of(subnets_, has) || std::ranges::any_of(routed_, has);
}

bool Territory::covers(const Prefix& prefix) const noexcept {
  return std::ranges::any_of(subnets_, [&](const Prefix& subnet) {
    return subnet.contains(prefix.address) && subnet.length <= prefix.length;
  });
}

bool Territory::grants(const Prefix& prefix, const std::vector<Endpoint>& underlay) const {
  if (any_overlaps(own_, prefix)) return false;
  if (prefix.is_host()) return covers(prefix);
  const bool narrow = prefix.length >= (prefix.address.is_v4() ? kWidest4 : kWidest6);
  const auto beneath = [&](const Endpoint& endpoint) { return prefix.contains(endpoint.address); };
  return narrow && prefix.address.is_private() && !any_overlaps(subnets_, prefix) &&
         !any_overlaps(local_, prefix) && std::ranges::none_of(underlay, beneath);
}

}  // namespace ipop::overlay
