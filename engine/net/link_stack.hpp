// What a host does at its end of an Ethernet link, for a port that no kernel looks after: finds its
// neighbours and answers for its own addresses, by ARP and neighbour discovery; answers pings;
// knows which neighbour a packet goes to; and tells datagrams from all else. One lcore; frame in,
// verdict out: it sends nothing itself.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.hpp"
#include "base/clock.hpp"
#include "base/ip.hpp"
#include "base/mac_address.hpp"
#include "engine/net/ethernet.hpp"
#include "engine/net/neighbour_news.hpp"
#include "engine/net/neighbours.hpp"
#include "engine/net/udp_packet.hpp"

namespace ipop::engine {

struct LinkSettings {
  MacAddress mac;
  std::uint16_t vlan = kNoVlan;
  std::vector<Prefix> addresses;    // ours, and what is on the link: one of each family, or of one
  std::vector<IpAddress> gateways;  // as many; whatever is not on the link goes there
  // A kernel that has the same addresses answers for them.
  bool answers = true;
  // UDP checksums may be the pseudo-header's sum alone, as kernels leave them to a card: where
  // nothing but this machine's memory lies between.
  bool partial_checksums = false;
};

// What became of a frame.
enum class LinkVerdict : std::uint8_t {
  kDatagram,   // for one of our addresses
  kNeighbour,  // ARP or neighbour discovery; perhaps answered
  kEcho,       // a ping, answered
  kNotOurs,    // for another station, address or VLAN
  kOther,      // another protocol
  kFragment,
  kMalformed,
  kBadChecksum,
};

// What the card found right already, and what it took out.
struct CardChecks {
  bool ip = false;
  bool udp = false;
  std::uint16_t vlan = kNoVlan;
};

class LinkStack {
 public:
  // An answer or a question: Ethernet, a tag, and the largest of the messages.
  static constexpr std::size_t kMaxReply = kEthernetHeader + kVlanTag + 72;
  using Reply = std::array<std::uint8_t, kMaxReply>;

  struct Received {
    LinkVerdict verdict = LinkVerdict::kOther;
    std::size_t ip = 0;  // where a datagram's IP header stands in the frame
    UdpPacket datagram;
    // kEcho: the frame is the answer now. kNeighbour: so many bytes of the reply.
    std::size_t reply_size = 0;
    bool found_neighbour = false;       // one that something waits for
    std::optional<NeighbourNews> news;  // of kNeighbour: for other queues of the same card
  };

  explicit LinkStack(LinkSettings settings);

  // `frame` starts at its Ethernet header; it is changed if it is a ping.
  [[nodiscard]] Received receive(MutableBytes frame, CardChecks checked, Reply& reply,
                                 Instant now) noexcept;

  // What another queue of the same card received. True if something waits for that neighbour.
  bool learn(const NeighbourNews& news, Instant now) noexcept;

  // The neighbour that a packet for there goes to; nothing if there is no route, or we have no
  // address of its family.
  [[nodiscard]] std::optional<IpAddress> next_hop(const IpAddress& to) const noexcept;
  [[nodiscard]] const MacAddress* find(const IpAddress& next_hop, Instant now) noexcept {
    return neighbours_.find(next_hop, now);
  }

  // Questions that are due.
  //   send(ByteView frame), lost(const IpAddress& next_hop)
  template <typename Send, typename Lost>
  void tick(Instant now, Send send, Lost lost) noexcept {
    neighbours_.tick(
        now,
        [&](const IpAddress& address, const MacAddress* mac) {
          Reply question;
          const std::size_t size = write_question(address, mac, question);
          if (size != 0) send(ByteView(question).first(size));
        },
        lost);
  }
  [[nodiscard]] bool is_asking() const noexcept { return neighbours_.is_asking(); }

  // Tells the link where our addresses are (RFC 5227 §2.3, RFC 4861 §7.2.6): when it comes up.
  template <typename Send>
  void announce(Send send) noexcept {
    for (const Prefix& own : settings_.addresses) {
      Reply frame;
      send(ByteView(frame).first(write_announcement(own.address, frame)));
    }
  }

  [[nodiscard]] const LinkSettings& settings() const noexcept { return settings_; }
  // Another station said that it has one of our addresses: how often.
  [[nodiscard]] std::uint64_t conflicts() const noexcept { return conflicts_; }

 private:
  [[nodiscard]] bool is_ours(const IpAddress& address) const noexcept;
  [[nodiscard]] const IpAddress* own_address(bool v4) const noexcept;
  void receive_arp(ByteView message, Reply& reply, Instant now, Received& received) noexcept;
  void receive_neighbour_message(ByteView packet, const MacAddress& from, Reply& reply, Instant now,
                                 Received& received) noexcept;
  void receive_ip(MutableBytes frame, const EthernetHeader& head, CardChecks checked,
                  Received& received) noexcept;
  void hear(const NeighbourNews& news, Instant now, Received& received) noexcept;
  [[nodiscard]] std::size_t write_question(const IpAddress& address, const MacAddress* mac,
                                           Reply& into) const noexcept;
  [[nodiscard]] std::size_t write_announcement(const IpAddress& own, Reply& into) const noexcept;
  [[nodiscard]] EthernetHeader header(const MacAddress& to, std::uint16_t type) const noexcept {
    return {.to = to, .from = settings_.mac, .type = type, .vlan = settings_.vlan};
  }

  LinkSettings settings_;
  Neighbours neighbours_;
  std::uint64_t conflicts_ = 0;
};

}  // namespace ipop::engine
