// The state file of known peers: any text parses or is refused, and what parses is written back so
// that it parses to the same.
#include <cstdlib>
#include <string_view>

#include "overlay/peer/known_peers.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using ipop::overlay::KnownPeers;
  const auto peers = KnownPeers::parse({reinterpret_cast<const char*>(data), size});
  if (!peers) return 0;
  const std::string written = KnownPeers::encode(*peers);
  const auto again = KnownPeers::parse(written);
  if (!again || KnownPeers::encode(*again) != written) std::abort();
  return 0;
}
