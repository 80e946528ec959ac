#include "overlay/peer/peer.hpp"

namespace ipop::overlay {

std::string Peer::display() const {
  if (credential) return credential->hostname + " (" + credential->node_id().brief() + ")";
  if (configured && !configured->name.empty()) return configured->name;
  return "peer with key " + to_base64(key).substr(0, 8) + "…";
}

// What a peer says of itself, its hostname, is no proof of anything.
ProvenNames Peer::proven_names() const {
  ProvenNames proven;
  if (configured && !configured->name.empty()) proven.names.push_back(configured->name);
  if (const auto id = node_id()) proven.node_id = id->to_string();
  if (trust.standing) {
    proven.names.push_back(trust.standing->name);
    proven.names.insert(proven.names.end(), trust.standing->dns_names.begin(),
                        trust.standing->dns_names.end());
    proven.groups = trust.standing->groups;
  }
  return proven;
}

}  // namespace ipop::overlay
