#include "app/cli/status_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ipop::app {
namespace {

using overlay::PathKind;
using overlay::PeerState;
using overlay::PeerStatus;
using overlay::Status;
using ::testing::HasSubstr;
using ::testing::Not;

Status alice() {
  Status status{.version = "0.1.0",
                .node_id = "a11ce",
                .public_key = "c2VjcmV0",
                .network = "tutorial",
                .hostname = "alice",
                .addresses = {"192.168.10.10/24", "fd00::10/64"},
                .interface = {.name = "tapipop", .mtu = 1420},
                .uptime_s = 11'520,
                .dht = {.connected = true, .nodes = 12},
                .engine = {.lcores = 1,
                           .poll = "adaptive",
                           .wire = "socket",
                           .aead = "libsodium",
                           .counters = {.host_rx = 1234, .wire_rx = 1}},
                .warnings = {"the clock is wrong"}};
  status.engine.counters.fates[static_cast<std::size_t>(engine::Fate::kDropHostFull)] = 2;
  status.engine.counters.fates[static_cast<std::size_t>(engine::Fate::kDropWireForged)] = 10;
  return status;
}

TEST(StatusTable, ShowsTheNode) {
  EXPECT_EQ(node_text(alice()),
            "alice in tutorial, up 3 h 12 min\n"
            "\n"
            "  addresses   192.168.10.10/24, fd00::10/64\n"
            "  interface   tapipop, MTU 1420\n"
            "  node id     a11ce\n"
            "  public key  c2VjcmV0\n"
            "  DHT         connected, 12 nodes\n"
            "  NAT         unknown\n"
            "  engine      1 lcore, adaptive polling, socket wire, libsodium\n"
            "  packets     1,234 packets from the host, 1 packet from the wire\n"
            "  dropped     12: 10 wire_forged, 2 host_full\n"
            "  WARNING     the clock is wrong\n");
}

TEST(StatusTable, ShowsWhatRelaysAreToUsAndWeToOthers) {
  Status status = alice();
  status.relay.homes = {"carol", "dave"};
  EXPECT_THAT(node_text(status), HasSubstr("  relaying    reachable through carol, dave\n"));
  status.relay = {.serves = true, .homes = {}, .circuits = 1, .packets = 2, .bytes = 1536};
  EXPECT_THAT(node_text(status),
              HasSubstr("  relaying    for others: 1 circuit now, 1.5 KiB in 2 packets so far\n"));
}

TEST(StatusTable, AlignsThePeersAndExplainsThoseThatNeedIt) {
  const std::vector<PeerStatus> peers{
      {.hostname = "dave",
       .addresses = {"192.168.10.40"},
       .state = PeerState::kRefused,
       .why = "it claims an address that bob has"},
      {.node_id = "0123456789abcdef",
       .addresses = {"192.168.10.30", "fd00::30"},
       .state = PeerState::kConnecting,
       .why = "waiting for an answer"},
      {.hostname = "bob",
       .addresses = {"192.168.10.20"},
       .state = PeerState::kConnected,
       .path = PathKind::kDirect,
       .why = "answered first",
       .endpoint = "192.0.2.1:4545",
       .rtt_ms = 0.416,
       .tx_bytes = 1536,
       .rx_bytes = 12},
  };
  EXPECT_EQ(
      peers_text(peers),
      "PEER      ADDRESS           STATE       PATH    ENDPOINT        RTT      SENT     RECEIVED\n"
      "01234567  192.168.10.30 +1  connecting  -       -               -        0 B      0 B\n"
      "  waiting for an answer\n"
      "bob       192.168.10.20     connected   direct  192.0.2.1:4545  0.42 ms  1.5 KiB  12 B\n"
      "dave      192.168.10.40     refused     -       -               -        0 B      0 B\n"
      "  it claims an address that bob has\n");
}

TEST(StatusTable, CountsCharactersAndNotBytes) {
  const std::vector<PeerStatus> peers{{.hostname = "ren\xc3\xa9"}, {.hostname = "rene"}};
  const std::string text = peers_text(peers);
  EXPECT_THAT(text, HasSubstr("ren\xc3\xa9  -"));
  EXPECT_THAT(text, HasSubstr("rene  -"));
}

TEST(StatusTable, SaysThatThereAreNoPeersYet) {
  EXPECT_THAT(peers_text({}), HasSubstr("no peers yet"));
}

TEST(StatusTable, ShowsAPeerInFull) {
  const PeerStatus peer{.node_id = "b0b",
                        .hostname = "bob",
                        .addresses = {"192.168.10.20"},
                        .state = PeerState::kConnected,
                        .path = PathKind::kRelay,
                        .why = "both sides are behind symmetric NATs",
                        .endpoint = "192.0.2.9:4545",
                        .relay_via = {"carol", "dave"},
                        .rtt_ms = 12.34,
                        .mtu = 1380,
                        .cipher = "aes-256-gcm",
                        .lanes = 4,
                        .lane_ports = 3,
                        .handshake_age_s = 75,
                        .tx_bytes = 2048,
                        .tx_packets = 2,
                        .candidates = {{"10.0.0.9:4545", "lan", "no answer to 4 datagrams"},
                                       {"192.0.2.9:4545", "mapped", "in use"}}};
  EXPECT_EQ(peer_text(peer),
            "bob, connected\n"
            "\n"
            "  addresses   192.168.10.20\n"
            "  node id     b0b\n"
            "  protocol    ipop\n"
            "  path        relay through carol, then dave\n"
            "  endpoint    192.0.2.9:4545\n"
            "  why         both sides are behind symmetric NATs\n"
            "  round trip  12.3 ms\n"
            "  MTU         1380\n"
            "  cipher      aes-256-gcm\n"
            "  lanes       4, by 4 ports\n"
            "  handshake   1 min 15 s ago\n"
            "  sent        2.0 KiB in 2 packets\n"
            "  received    0 B in 0 packets\n"
            "  candidates  10.0.0.9:4545, lan: no answer to 4 datagrams\n"
            "              192.0.2.9:4545, mapped: in use\n");
}

TEST(StatusTable, LeavesOutWhatIsNotKnown) {
  const std::string text = peer_text(PeerStatus{});
  EXPECT_THAT(text, Not(HasSubstr("round trip")));
  EXPECT_THAT(text, Not(HasSubstr("MTU")));
  EXPECT_THAT(text, HasSubstr("handshake   none"));
}

TEST(StatusTable, KeepsControlCharactersFromTheTerminal) {
  const PeerStatus peer{.hostname = "\x1b[2Jbob", .addresses = {"\n"}, .why = "\a"};
  EXPECT_THAT(peers_text({peer}) + peer_text(peer), Not(HasSubstr("\x1b")));
}

}  // namespace
}  // namespace ipop::app
