#include "perf/pps/host_frames.hpp"

#include <cstring>

#include "base/checksum.hpp"
#include "engine/path/packet.hpp"
#include "engine/path/transport.hpp"
#include "perf/pps/workload.hpp"

namespace ipop::perf {
namespace {

using namespace ipop::engine;

// Ethernet and IPv4; returns where the transport header goes, as zeros.
std::uint8_t* write_start(rte_mbuf* frame, const IpAddress& from, const IpAddress& to,
                          std::uint8_t protocol, std::uint32_t size, std::uint32_t transport) {
  static constexpr std::uint8_t kEthernet[] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00};
  std::uint8_t* const at = data_of(frame);
  std::memcpy(at, kEthernet, sizeof kEthernet);
  std::uint8_t* const ip = at + kEthernetHeader;
  std::memset(ip, 0, kIpv4Header + transport);
  ip[0] = 0x45;
  store_be(ip + 2, static_cast<std::uint16_t>(size));
  ip[6] = 0x40;  // never cut
  ip[8] = 64;
  ip[9] = protocol;
  store_be(ip + 12, from.v4());
  store_be(ip + 16, to.v4());
  store_be(ip + 10, internet_checksum({ip, kIpv4Header}));
  store_be(ip + kIpv4Header, std::uint32_t{5000} << 16 | 5001);  // both ports, in either protocol
  set_length(frame, static_cast<std::uint32_t>(size + kEthernetHeader));
  frame->l2_len = kEthernetHeader;
  frame->l3_len = kIpv4Header;
  return ip + kIpv4Header;
}

}  // namespace

void write_udp_frame(rte_mbuf* frame, const IpAddress& from, const IpAddress& to,
                     std::uint32_t size) noexcept {
  const auto length = static_cast<std::uint32_t>(size - kIpv4Header);
  std::uint8_t* const udp = write_start(frame, from, to, kProtocolUdp, size, kUdpHeader);
  store_be(udp + 4, static_cast<std::uint16_t>(length));
  store_be(udp + 6, pseudo_header_sum(from, to, kProtocolUdp, length));
  frame->ol_flags = RTE_MBUF_F_TX_UDP_CKSUM;
}

void write_super_frame(rte_mbuf* frame, const IpAddress& from, const IpAddress& to) noexcept {
  constexpr std::uint32_t kTcpWithTimes = kSegmentHeaders - kIpv4Header;
  std::uint8_t* const tcp = write_start(frame, from, to, kProtocolTcp, kSuperSize, kTcpWithTimes);
  tcp[12] = kTcpWithTimes / 4 << 4;
  tcp[13] = 0x10;  // ACK
  store_be<std::uint16_t>(tcp + 14, 512);
  store_be<std::uint32_t>(tcp + 20, 0x0101080a);  // two NOPs, time stamps
  store_be(tcp + 16, pseudo_header_sum(from, to, kProtocolTcp,
                                       static_cast<std::uint32_t>(kSuperSize - kIpv4Header)));
  frame->l4_len = kTcpWithTimes;
  frame->tso_segsz = kSegmentSize;
  frame->ol_flags = RTE_MBUF_F_TX_TCP_SEG;
}

}  // namespace ipop::perf
