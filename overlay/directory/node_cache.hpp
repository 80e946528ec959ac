// DHT nodes that answered, remembered across restarts, so that a node comes back though all
// bootstrap nodes are gone. A text file: a header line, then one endpoint per line. Start-up and
// overlay thread. Losing it costs nothing but a slower start, so no error here is fatal.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "base/ip.hpp"

namespace ipop::overlay {

class NodeCache {
 public:
  static constexpr std::size_t kMaxNodes = 64;

  // An empty path remembers nothing.
  explicit NodeCache(std::filesystem::path file) : file_(std::move(file)) {}

  // Empty if there is none yet. A file that does not parse is reported, set aside as "….bad", and
  // taken for none.
  [[nodiscard]] std::vector<Endpoint> load() const;
  // The first kMaxNodes of `nodes`, complete or not at all.
  [[nodiscard]] Result<void> save(std::span<const Endpoint> nodes) const;

 private:
  std::filesystem::path file_;
};

}  // namespace ipop::overlay
