#include "app/cli/status_table.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "app/cli/quantity.hpp"

namespace ipop::app {
namespace {

using overlay::PathKind;
using overlay::PeerState;
using overlay::PeerStatus;
using overlay::Status;

constexpr std::size_t kLabelWidth = 12;

// Characters, as a terminal counts them as long as none is wide.
std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(
      text, [](char letter) { return (static_cast<unsigned char>(letter) & 0xc0) != 0x80; }));
}

std::string padded(std::string_view text, std::size_t width) {
  const std::size_t used = width_of(text);
  return std::string(text) + std::string(used < width ? width - used : 0, ' ');
}

// "  interface   tapipop, MTU 1420"; nothing for a value that is empty.
std::string line(std::string_view label, std::string_view value) {
  if (value.empty()) return {};
  return "  " + padded(label, kLabelWidth) + printable(value) + '\n';
}

std::string or_dash(std::string text) {
  return text.empty() ? "-" : std::move(text);
}

std::string brief(const std::string& node_id) {
  return node_id.substr(0, 8);
}

std::string name_of(const PeerStatus& peer) {
  if (!peer.hostname.empty()) return peer.hostname;
  return or_dash(brief(peer.node_id));
}

// "14: 10 wire_forged, 4 host_full", the most frequent first.
std::string drops_text(const engine::FateCounts& fates) {
  std::vector<engine::Fate> drops;
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < engine::kFateCount; ++i) {
    const auto fate = static_cast<engine::Fate>(i);
    if (!engine::is_drop(fate) || fates[i] == 0) continue;
    drops.push_back(fate);
    sum += fates[i];
  }
  if (drops.empty()) return "none";
  std::ranges::stable_sort(drops, std::ranges::greater{}, [&](engine::Fate fate) {
    return fates[static_cast<std::size_t>(fate)];
  });
  std::vector<std::string> reasons;
  for (const engine::Fate fate : drops) {
    reasons.push_back(
        fmt::format("{} {}", fates[static_cast<std::size_t>(fate)], engine::name(fate)));
  }
  return fmt::format("{}: {}", sum, fmt::join(reasons, ", "));
}

std::string engine_text(const overlay::EngineStatus& engine) {
  return fmt::format("{}, {} polling, {} wire, {}", count_text(engine.lcores, "lcore", "lcores"),
                     or_dash(engine.poll), or_dash(engine.wire), or_dash(engine.aead));
}

std::string relay_text(const overlay::RelayStatus& relay) {
  std::string text;
  if (!relay.homes.empty())
    text = fmt::format("reachable through {}", fmt::join(relay.homes, ", "));
  if (relay.serves) {
    if (!text.empty()) text += "; ";
    text += fmt::format("for others: {} now, {} in {} so far",
                        count_text(relay.circuits, "circuit", "circuits"), bytes_text(relay.bytes),
                        count_text(relay.packets, "packet", "packets"));
  }
  return printable(text);
}

std::string packets_text(const engine::EngineCounters& counters) {
  return fmt::format("{} from the host, {} from the wire",
                     count_text(counters.host_rx, "packet", "packets"),
                     count_text(counters.wire_rx, "packet", "packets"));
}

std::string firewall_text(const overlay::FirewallStatus& firewall) {
  // Without the two defaults.
  const std::size_t rules = firewall.rules.size() < 2 ? 0 : firewall.rules.size() - 2;
  return fmt::format("{}, {} of {} at most", count_text(rules, "rule", "rules"),
                     count_text(firewall.flows, "flow", "flows"), firewall.max_flows);
}

using Row = std::array<std::string, 8>;

Row row_of(const PeerStatus& peer) {
  std::string address = peer.addresses.empty() ? "-" : peer.addresses.front();
  if (peer.addresses.size() > 1) address += fmt::format(" +{}", peer.addresses.size() - 1);
  Row row{name_of(peer),
          std::move(address),
          name(peer.state),
          peer.path == PathKind::kNone ? "-" : name(peer.path),
          or_dash(peer.endpoint),
          peer.rtt_ms ? milliseconds_text(*peer.rtt_ms) : "-",
          bytes_text(peer.tx_bytes),
          bytes_text(peer.rx_bytes)};
  for (std::string& cell : row)
    cell = printable(cell);
  return row;
}

// A reader of the table asks why only where something is not as one would wish.
bool needs_explaining(const PeerStatus& peer) {
  return !peer.why.empty() &&
         (peer.state == PeerState::kRefused || peer.state == PeerState::kConnecting ||
          peer.path == PathKind::kRelay);
}

}  // namespace

std::string path_text(PathKind path, const std::vector<std::string>& relay_via) {
  std::string text = name(path);
  if (relay_via.empty()) return text;
  std::vector<std::string> hops;
  for (const std::string& node : relay_via)
    hops.push_back(printable(node));
  return fmt::format("{} through {}", text, fmt::join(hops, ", then "));
}

std::string node_text(const Status& status) {
  std::string text =
      printable(fmt::format("{} in {}, up {}", or_dash(status.hostname), or_dash(status.network),
                            duration_text(status.uptime_s))) +
      "\n\n";
  text += line("addresses", fmt::format("{}", fmt::join(status.addresses, ", ")));
  text += line("interface", fmt::format("{}, MTU {}", status.interface.name, status.interface.mtu));
  text += line("node id", status.node_id);
  text += line("public key", status.public_key);
  text += line("DHT", status.dht.connected
                          ? "connected, " + count_text(status.dht.nodes, "node", "nodes")
                          : "not connected");
  text += line("NAT", status.nat.mapped.empty() ? status.nat.kind
                                                : fmt::format("{}, mapped to {}", status.nat.kind,
                                                              fmt::join(status.nat.mapped, ", ")));
  if (const std::string relay = relay_text(status.relay); !relay.empty())
    text += line("relaying", relay);
  text += line("engine", engine_text(status.engine));
  text += line("packets", packets_text(status.engine.counters));
  text += line("dropped", drops_text(status.engine.counters.fates));
  if (status.firewall.on) text += line("firewall", firewall_text(status.firewall));
  for (const std::string& warning : status.warnings)
    text += line("WARNING", warning);
  return text;
}

std::string peers_text(const std::vector<PeerStatus>& peers) {
  if (peers.empty()) return "no peers yet: they show up as soon as somebody talks to them\n";

  std::vector<const PeerStatus*> sorted;
  for (const PeerStatus& peer : peers)
    sorted.push_back(&peer);
  std::ranges::stable_sort(sorted, {}, [](const PeerStatus* peer) { return name_of(*peer); });

  std::vector<Row> rows{
      {"PEER", "ADDRESS", "STATE", "PATH", "ENDPOINT", "RTT", "SENT", "RECEIVED"}};
  for (const PeerStatus* peer : sorted)
    rows.push_back(row_of(*peer));
  std::array<std::size_t, std::tuple_size_v<Row>> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], width_of(row[i]));
  }

  std::string text;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (std::size_t column = 0; column + 1 < widths.size(); ++column) {
      text += padded(rows[i][column], widths[column] + 2);
    }
    text += rows[i].back() + '\n';
    if (i > 0 && needs_explaining(*sorted[i - 1])) {
      text += "  " + printable(sorted[i - 1]->why) + '\n';
    }
  }
  return text;
}

std::string peer_text(const PeerStatus& peer) {
  std::string text = printable(fmt::format("{}, {}", name_of(peer), name(peer.state))) + "\n\n";
  text += line("addresses", fmt::format("{}", fmt::join(peer.addresses, ", ")));
  text += line("node id", peer.node_id);
  text += line("protocol", peer.protocol);
  text += line("path", path_text(peer.path, peer.relay_via));
  text += line("endpoint", peer.endpoint);
  text += line("why", peer.why);
  text += line("round trip", peer.rtt_ms ? milliseconds_text(*peer.rtt_ms) : "");
  text += line("MTU", peer.mtu ? fmt::format("{}", *peer.mtu) : "");
  text += line("cipher", peer.cipher);
  if (peer.lanes > 1) {
    text += line("lanes", peer.lane_ports == 0
                              ? fmt::format("{}, by one port", peer.lanes)
                              : fmt::format("{}, by {} ports", peer.lanes, peer.lane_ports + 1));
  }
  text += line("handshake",
               peer.handshake_age_s ? duration_text(*peer.handshake_age_s) + " ago" : "none");
  text += line("sent", fmt::format("{} in {}", bytes_text(peer.tx_bytes),
                                   count_text(peer.tx_packets, "packet", "packets")));
  text += line("received", fmt::format("{} in {}", bytes_text(peer.rx_bytes),
                                       count_text(peer.rx_packets, "packet", "packets")));
  const char* label = "candidates";
  for (const overlay::CandidateStatus& one : peer.candidates) {
    text += line(label, fmt::format("{}, {}: {}", one.endpoint, one.kind, one.outcome));
    label = "";
  }
  return text;
}

}  // namespace ipop::app
