// A node's two gates, for tests that send packet after packet through them.
#pragma once

#include <gtest/gtest.h>

#include "engine/firewall/gate.hpp"
#include "tests/unit/engine/firewall/packets_between.hpp"

namespace ipop::engine::firewall {

using enum Fate;
inline constexpr Fate kPass = kSent;
inline constexpr Direction kIn = Direction::kIn;
inline constexpr Direction kOut = Direction::kOut;

// Answers come in, nothing else does.
inline const std::string kClosed = "  default_inbound: deny\n";

// An engine's firewall with two lcores, by default one for each direction; and one peer.
class Gates : public testing::Test {
 protected:
  void set(const std::string& yaml) {
    const conf::Firewall next = rules(yaml);
    auto prepared = firewall_.prepare(next);
    marks_ = {.generation = prepared->generation,
              .stamp = ++stamp_,
              .marks = prepared->rules.marks_of(peer_)};
    static_cast<void>(firewall_.publish(std::move(prepared)));
  }
  // The peer is somebody else from now on, or has other groups.
  void become(const PeerNames& peer) {
    peer_ = peer;
    marks_.marks = firewall_.rules()->rules.marks_of(peer);
    marks_.stamp = ++stamp_;
  }
  Fate pass(const Between& packet) {
    Gate& gate = packet.direction == kIn ? in_ : out_;
    gate.begin_burst(now_);
    const Fate fate = judge(gate, made(packet));
    gate.end_burst();
    return fate;
  }
  // Within a burst.
  Fate judge(Gate& gate, const Bytes& bytes, std::uint32_t packets = 1) {
    const auto length = static_cast<std::uint32_t>(bytes.size());
    const Fate fate = gate.continues(bytes.data(), length, marks_.stamp)
                          ? kSent
                          : gate.judge(bytes, marks_, packets);
    if (fate == kSent) gate.count(packets, length);
    return fate;
  }
  void later(std::chrono::seconds by) { now_ += by; }
  std::vector<RuleCount> counts() { return firewall_.counts(flow_seconds(now_)).rules; }
  std::uint64_t flows() { return firewall_.counts(flow_seconds(now_)).flows; }

  Instant now_{std::chrono::hours(1)};
  Firewall firewall_{2};
  Gate in_{firewall_, 0, kIn};
  Gate out_{firewall_, 1, kOut};
  PeerNames peer_{.names = {"bob"}, .node_id = "", .groups = {"web"}};
  StampedMarks marks_;
  std::uint32_t stamp_ = 0;
};

inline Between tcp(Direction direction, std::uint8_t flags, std::uint16_t local = 50000,
                   std::uint16_t remote = 22) {
  return {.direction = direction, .remote_port = remote, .local_port = local, .flags = flags};
}
inline Between udp(Direction direction, std::uint16_t local = 50000, std::uint16_t remote = 53) {
  return {.direction = direction, .protocol = kUdp, .remote_port = remote, .local_port = local};
}
inline Between icmp(Direction direction, std::uint8_t type, std::uint16_t id = 7) {
  return {.direction = direction, .protocol = kIcmp, .icmp_type = type, .icmp_id = id};
}
inline Between six(Between packet) {
  packet.remote = ip("fd00::2");
  packet.local = ip("fd00::1");
  if (packet.protocol == kIcmp) packet.protocol = kIcmpv6;
  return packet;
}

inline constexpr std::uint8_t kSyn = tcp_flag::kSyn;
inline constexpr std::uint8_t kAck = tcp_flag::kAck;
inline constexpr std::uint8_t kFin = tcp_flag::kFin;
inline constexpr std::uint8_t kRst = tcp_flag::kRst;

}  // namespace ipop::engine::firewall
