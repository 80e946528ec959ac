#include "conf/schema.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

namespace ipop::conf {
namespace {

using enum Key::Shape;

constexpr Key not_supported(std::string_view path, std::string_view off = "") {
  return {path, kValue, false, off};
}

constexpr auto kKeys = std::to_array<Key>({
    {"network", kSection},
    {"network.name"},
    {"network.secret"},
    {"network.secret_file"},
    {"network.address"},
    {"network.address6"},
    {"network.hostname"},
    {"network.routes"},
    {"interface", kSection},
    {"interface.name"},
    {"interface.mtu"},
    not_supported("interface.mode", "ip"),
    {"trust", kSection},
    {"trust.ca"},
    {"trust.cert"},
    {"trust.key"},
    {"trust.crl"},
    {"overlay", kSection},
    {"overlay.listen"},
    {"overlay.bootstrap"},
    {"overlay.dht_network"},
    {"overlay.lan_discovery"},
    {"overlay.stun"},
    {"overlay.port_mapping"},
    {"overlay.port_guessing"},
    {"overlay.relay", kSection},
    {"overlay.relay.use"},
    {"overlay.relay.serve"},
    {"overlay.relay.limit_mbit"},
    {"overlay.peers", kListOfSections},
    {"overlay.peers.name"},
    {"overlay.peers.public_key"},
    {"overlay.peers.endpoint"},
    {"overlay.peers.allowed_ips"},
    {"overlay.peers.protocol"},
    {"overlay.peers.preshared_key"},
    {"overlay.peers.persistent_keepalive"},
    {"engine", kSection},
    {"engine.lcores"},
    {"engine.cpus"},
    {"engine.poll"},
    {"engine.hugepages"},
    {"engine.memory_mb"},
    {"engine.cipher"},
    {"engine.aead"},
    {"engine.lanes"},
    {"wire", kSection},
    {"wire.backend"},
    {"wire.device"},
    {"wire.address"},
    {"wire.address6"},
    {"wire.gateway"},
    {"wire.gateway6"},
    {"wire.vlan"},
    {"wire.mtu"},
    not_supported("wire.queues", "auto"),
    {"firewall", kSection},
    {"firewall.default_inbound"},
    {"firewall.default_outbound"},
    {"firewall.max_flows"},
    {"firewall.inbound", kListOfSections},
    {"firewall.inbound.name"},
    {"firewall.inbound.action"},
    {"firewall.inbound.groups"},
    {"firewall.inbound.all_groups"},
    {"firewall.inbound.peers"},
    {"firewall.inbound.remote"},
    {"firewall.inbound.local"},
    {"firewall.inbound.protocol"},
    {"firewall.inbound.ports"},
    {"firewall.inbound.icmp_types"},
    {"firewall.outbound", kListOfSections},
    {"firewall.outbound.name"},
    {"firewall.outbound.action"},
    {"firewall.outbound.groups"},
    {"firewall.outbound.all_groups"},
    {"firewall.outbound.peers"},
    {"firewall.outbound.remote"},
    {"firewall.outbound.local"},
    {"firewall.outbound.protocol"},
    {"firewall.outbound.ports"},
    {"firewall.outbound.icmp_types"},
    {"metrics", kSection, false},
    not_supported("metrics.listen"),
    {"log", kSection},
    {"log.level"},
    {"log.format"},
    {"paths", kSection},
    {"paths.state"},
    {"paths.runtime"},
});

std::string join(std::string_view section, std::string_view key) {
  return section.empty() ? std::string(key) : std::string(section) + "." + std::string(key);
}

std::string_view leaf_of(std::string_view path) {
  return path.substr(path.rfind('.') + 1);  // npos + 1 is 0
}

bool is_in(std::string_view path, std::string_view section) {
  const std::size_t dot = path.rfind('.');
  return section == (dot == std::string_view::npos ? std::string_view() : path.substr(0, dot));
}

// Edits that turn one word into the other (Levenshtein); both are short.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    row[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

// " (did you mean …?)": a key of the same section that is spelled much the same, else the same word
// in another section, else nothing. Keys that would be refused are suggested only as a correction.
std::string suggestion(std::string_view section, std::string_view unknown) {
  constexpr std::size_t kLongest = 40;
  if (unknown.size() > kLongest) return "";
  std::string_view best;
  std::size_t best_distance = std::min<std::size_t>(2, unknown.size() / 2) + 1;
  for (const Key& key : kKeys) {
    if (!is_in(key.path, section)) continue;
    const std::size_t edits = distance(unknown, leaf_of(key.path));
    if (edits < best_distance) {
      best = leaf_of(key.path);
      best_distance = edits;
    }
  }
  if (best.empty()) {
    const auto same =
        std::ranges::find(kKeys, unknown, [](const Key& key) { return leaf_of(key.path); });
    if (same != kKeys.end()) best = same->path;
  }
  return best.empty() ? "" : " (did you mean " + std::string(best) + "?)";
}

void refuse_if_set(const Key& key, const Node& value, ErrorList& errors) {
  if (value.is_empty() || value.kind == Node::Kind::kRefused) return;
  std::string off;
  for (std::size_t at = 0; at < key.off.size();) {
    const std::string_view word = key.off.substr(at, key.off.substr(at).find(' '));
    if (value.kind == Node::Kind::kScalar && value.text == word) return;
    if (off.empty()) off = word;
    at += word.size() + 1;
  }
  errors.add(value.at, std::string(key.path) + " is not supported yet; leave it out" +
                           (off.empty() ? "" : " or set it to " + off));
}

// `section` is the path in the schema, `shown` the one in this file, with its list indices.
void check_section(const Node& map, const std::string& section, const std::string& shown,
                   ErrorList& errors);

void check_value(const Key& key, const Node& value, const std::string& shown, ErrorList& errors) {
  if (value.kind == Node::Kind::kNull || value.kind == Node::Kind::kRefused) return;
  if (key.shape == kValue) {
    if (!key.supported) refuse_if_set(key, value, errors);
    return;
  }
  if (!key.supported && value.is_empty()) return;
  if (key.shape == kSection) {
    check_section(value, std::string(key.path), shown, errors);
    return;
  }
  if (value.kind != Node::Kind::kList) {
    errors.add(value.at, shown + " must be a list");
    return;
  }
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    check_section(value.items[i], std::string(key.path), shown + "[" + std::to_string(i) + "]",
                  errors);
  }
}

void check_section(const Node& map, const std::string& section, const std::string& shown,
                   ErrorList& errors) {
  if (map.kind == Node::Kind::kRefused) return;
  if (map.kind != Node::Kind::kMap) {
    errors.add(map.at, (shown.empty() ? "the file" : shown) + " must be a map of keys");
    return;
  }
  for (std::size_t i = 0; i < map.keys.size(); ++i) {
    const std::string& name = map.keys[i].text;
    const auto key = std::ranges::find_if(kKeys, [&](const Key& known) {
      return leaf_of(known.path) == name && is_in(known.path, section);
    });
    if (key != kKeys.end()) {
      check_value(*key, map.items[i], join(shown, name), errors);
    } else {
      errors.add(map.keys[i].at, "unknown key " + in_quotes(name) +
                                     (shown.empty() ? "" : " in " + shown) +
                                     suggestion(section, name));
    }
  }
}

}  // namespace

std::span<const Key> known_keys() noexcept {
  return kKeys;
}

void check_keys(const Node& root, ErrorList& errors) {
  if (root.kind != Node::Kind::kNull) check_section(root, "", "", errors);
}

}  // namespace ipop::conf
