#include "overlay/peer/peer.hpp"

namespace ipop::overlay {

std::string Peer::display() const {
  if (credential) return credential->hostname + " (" + credential->node_id().brief() + ")";
  if (configured && !configured->name.empty()) return configured->name;
  return "peer with key " + to_base64(key).substr(0, 8) + "…";
}

}  // namespace ipop::overlay
