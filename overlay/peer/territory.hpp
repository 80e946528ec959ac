// What is inside the virtual network and what is underneath it. A peer is granted only prefixes
// that belong inside, and no path may lead through the interface that it carries. Overlay thread.
#pragma once

#include <set>
#include <vector>

#include "base/ip.hpp"

namespace ipop::overlay {

class Territory {
 public:
  // `subnets`: the virtual network's. `own`: our own addresses and the subnets behind us.
  Territory(std::vector<Prefix> subnets, std::vector<Prefix> own);

  // The host's own interfaces, without the virtual one.
  void set_local(std::vector<Prefix> prefixes) { local_ = std::move(prefixes); }
  [[nodiscard]] const std::vector<Prefix>& local() const noexcept { return local_; }

  // A prefix outside the subnets that the host reaches through the virtual interface.
  void set_routed(const Prefix& prefix, bool routed);

  // Datagrams to such an address would enter the tunnel that they are to carry.
  [[nodiscard]] bool inside(const IpAddress& address) const noexcept;

  // Whether a peer may have the prefix. A host address has to be in the subnets and not ours; a
  // subnet behind a peer has to be private (RFC 1918, RFC 4193), not too wide, and away from the
  // virtual network, from what is behind us, from our links, and from where the peer itself is
  // (`underlay`): a member must not be able to draw in other traffic of our host.
  [[nodiscard]] bool grants(const Prefix& prefix, const std::vector<Endpoint>& underlay) const;

  [[nodiscard]] bool covers(const Prefix& prefix) const noexcept;  // inside the subnets, wholly

 private:
  const std::vector<Prefix> subnets_;
  const std::vector<Prefix> own_;
  std::vector<Prefix> local_;
  std::set<Prefix> routed_;
};

}  // namespace ipop::overlay
