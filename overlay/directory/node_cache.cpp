#include "overlay/directory/node_cache.hpp"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/log.hpp"
#include "overlay/trust/state_file.hpp"

namespace ipop::overlay {
namespace {

constexpr std::string_view kHeader = "ipop dht nodes 1";
constexpr std::size_t kMaxFile = 8192;  // 64 lines of at most 48 bytes and the header

bool is_usable(const Endpoint& node) noexcept {
  return node.port != 0 && !node.address.is_unspecified() && !node.address.is_multicast();
}

// The text up to the next line's end, which is removed from `text`; fails without one.
Result<std::string_view> take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) return fail("its last line is cut off");
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

Result<std::vector<Endpoint>> parse(std::string_view text) {
  const auto header = take_line(text);
  if (!header || *header != kHeader) return fail("it does not begin with a known header");
  std::vector<Endpoint> nodes;
  while (!text.empty()) {
    const auto line = take_line(text);
    if (!line) return std::unexpected(line.error());
    const auto node = Endpoint::parse(*line);
    if (!node) return std::unexpected(node.error());
    if (!is_usable(*node)) return fail(node->to_string() + " is no node's endpoint");
    if (nodes.size() == NodeCache::kMaxNodes) return fail("it has more than 64 nodes");
    nodes.push_back(*node);
  }
  return nodes;
}

}  // namespace

std::vector<Endpoint> NodeCache::load() const {
  std::error_code error;
  if (file_.empty() || !std::filesystem::exists(file_, error)) return {};
  const auto text = read_state_file(file_, kMaxFile);
  auto nodes = text ? parse(*text) : std::unexpected(text.error());
  if (nodes) return std::move(*nodes);
  const Error error_here = text ? nodes.error().within(file_.string()) : nodes.error();

  std::filesystem::path aside = file_;
  aside += ".bad";
  std::filesystem::rename(file_, aside, error);
  log::warning("remembered DHT nodes are not used: {}; {}", error_here.message,
               error ? "it cannot be set aside: " + error.message() : "kept as " + aside.string());
  return {};
}

Result<void> NodeCache::save(std::span<const Endpoint> nodes) const {
  if (file_.empty()) return {};
  std::string text(kHeader);
  text += '\n';
  std::size_t count = 0;
  for (const Endpoint& node : nodes) {
    if (!is_usable(node)) continue;
    if (count++ == kMaxNodes) break;
    text += node.to_string() + '\n';
  }
  return write_state_file(file_, text, IfExists::kReplace);
}

}  // namespace ipop::overlay
