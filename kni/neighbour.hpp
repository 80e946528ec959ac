// Answers the host's ARP requests (RFC 826) and IPv6 neighbour solicitations (RFC 4861) in the
// place of the peers, so that no broadcast crosses the overlay: frame in, reply frame out.
// Pure: no I/O, no allocation; used by the lcore that owns the tap.
//
// It answers for every unicast address that is not our own. The host asks on this interface only
// for what its routing table sends here, and that table is the one list of those prefixes: peers'
// subnets come and go in it while packets flow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.hpp"
#include "base/ip.hpp"

namespace ipop::kni {

enum class NeighbourFrame : std::uint8_t {
  kOther,      // neither ARP nor a neighbour solicitation or advertisement: for the engine
  kAnswered,   // the reply is to be written back
  kIgnored,    // well formed, and no answer is due: a probe, an announcement, about ourselves
  kMalformed,  // breaks its RFC; never answered
};

struct NeighbourAnswer {
  NeighbourFrame frame = NeighbourFrame::kOther;
  std::size_t size = 0;  // bytes written to the reply; not zero only if answered
};

class NeighbourResponder {
 public:
  // An advertisement: Ethernet 14, IPv6 40, ICMPv6 24, link-layer option 8.
  static constexpr std::size_t kMaxReply = 86;

  explicit NeighbourResponder(std::vector<IpAddress> own) : own_(std::move(own)) {}

  // `frame` starts at its Ethernet header and may hold anything. Those that are neither IPv6 nor
  // ARP cost one comparison.
  [[nodiscard]] NeighbourAnswer answer(ByteView frame,
                                       std::span<std::uint8_t, kMaxReply> reply) const noexcept;

 private:
  [[nodiscard]] NeighbourAnswer answer_arp(ByteView frame, MutableBytes reply) const noexcept;
  [[nodiscard]] NeighbourAnswer answer_solicitation(ByteView frame,
                                                    MutableBytes reply) const noexcept;
  [[nodiscard]] bool speaks_for(const IpAddress& target) const noexcept;

  std::vector<IpAddress> own_;
};

}  // namespace ipop::kni
