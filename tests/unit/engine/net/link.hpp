// A LinkStack at the end of a link for the tests of this folder. It sees to what holds for every
// frame: only a ping is changed, and nothing is written behind a reply.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/net/link_stack.hpp"
#include "frames.hpp"

namespace ipop::engine::testing {

// 192.0.2.1/24 and 2001:db8::1/64, with a gateway each.
[[nodiscard]] inline LinkSettings both_families() {
  return {.mac = kOurMac,
          .addresses = {{ip("192.0.2.1"), 24}, {ip("2001:db8::1"), 64}},
          .gateways = {ip("192.0.2.254"), ip("fe80::fe")}};
}

[[nodiscard]] inline LinkSettings on_vlan(std::uint16_t vlan) {
  LinkSettings settings = both_families();
  settings.vlan = vlan;
  return settings;
}

[[nodiscard]] inline LinkSettings silent() {
  LinkSettings settings = both_families();
  settings.answers = false;
  return settings;
}

struct Link {
  LinkStack stack{both_families()};
  Instant now{std::chrono::hours(1)};
  Bytes frame;  // the last one, as it became
  Bytes reply;

  Link() = default;
  explicit Link(LinkSettings settings) : stack(std::move(settings)) {}

  LinkStack::Received receive(const Bytes& arrived, CardChecks checked = {}) {
    LinkStack::Reply buffer;
    buffer.fill(0xee);
    frame = arrived;
    frame.shrink_to_fit();
    const LinkStack::Received received = stack.receive(frame, checked, buffer, now);
    EXPECT_EQ(frame != arrived, received.verdict == LinkVerdict::kEcho);
    EXPECT_TRUE(received.reply_size == 0 || received.verdict == LinkVerdict::kNeighbour);
    reply.assign(buffer.begin(), buffer.begin() + received.reply_size);
    EXPECT_TRUE(std::all_of(buffer.begin() + received.reply_size, buffer.end(),
                            [](std::uint8_t byte) { return byte == 0xee; }));
    return received;
  }

  LinkVerdict verdict(const Bytes& arrived, CardChecks checked = {}) {
    return receive(arrived, checked).verdict;
  }

  // Where that neighbour is; all zeroes if nobody knows.
  MacAddress find(const char* address) {
    const MacAddress* const mac = stack.find(ip(address), now);
    return mac == nullptr ? MacAddress{} : *mac;
  }

  std::vector<Bytes> questions() {
    std::vector<Bytes> sent;
    stack.tick(
        now, [&](ByteView question) { sent.emplace_back(question.begin(), question.end()); },
        [&](const IpAddress& address) { lost.push_back(address); });
    return sent;
  }
  std::vector<IpAddress> lost;
};

}  // namespace ipop::engine::testing
