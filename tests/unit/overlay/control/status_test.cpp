#include "overlay/status.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "overlay/status_json.hpp"

namespace ipop::overlay {
namespace {

using Json = nlohmann::ordered_json;

PeerStatus bob() {
  return {.node_id = "b0b0000000000000000000000000000000000001",
          .hostname = "bob",
          .addresses = {"192.168.10.20"},
          .state = PeerState::kConnected,
          .path = PathKind::kDirect,
          .why = "the handshake arrived first here",
          .endpoint = "192.0.2.1:4545",
          .relay_via = {"c0de"},
          .rtt_ms = 0.5,
          .mtu = 1420,
          .cipher = "aes-256-gcm",
          .lanes = 4,
          .lane_ports = 3,
          .handshake_age_s = 7,
          .tx_bytes = 1,
          .rx_bytes = 2,
          .tx_packets = 3,
          .rx_packets = 0xffff'ffff'ffff'ffff,
          .protocol = "ipop",
          .candidates = {{"10.0.0.9:4545", "lan", "no answer to 4 datagrams"},
                         {"192.0.2.1:4545", "mapped", "in use"}}};
}

Status alice() {
  Status status{.version = "0.1.0",
                .node_id = "a11ce",
                .public_key = "AAAA",
                .network = "tutorial",
                .hostname = "alice",
                .addresses = {"192.168.10.10/24", "fd00::10/64"},
                .interface = {.name = "tapipop", .mtu = 1420},
                .uptime_s = 12,
                .nat = {.kind = "translated",
                        .ipv4 = "translated",
                        .ipv6 = "unknown",
                        .mapped = {"203.0.113.5:61000"},
                        .servers = {{.endpoint = "192.0.2.1:3478",
                                     .mapped = "203.0.113.5:61000",
                                     .rtt_ms = 1.5},
                                    {.endpoint = "192.0.2.2:3478", .mapped = {}, .rtt_ms = {}}},
                        .port_mapping = {.protocol = "upnp",
                                         .outside = "10.0.0.2:4545",
                                         .expires_s = 1800,
                                         .why = "private"}},
                .relay = {.serves = true,
                          .homes = {"carol", "dave"},
                          .circuits = 3,
                          .packets = 4000,
                          .bytes = 5'000'000,
                          .records = 7},
                .dht = {.connected = true, .nodes = 9},
                .engine = {.lcores = 1,
                           .poll = "adaptive",
                           .wire = "socket",
                           .aead = "libsodium",
                           .counters = {.host_rx = 5, .wire_rx = 6, .injected = 7, .staged = 1}},
                .hardening = {.capabilities = {"net_admin"},
                              .no_new_privileges = true,
                              .system_calls_filtered = true,
                              .memory_readable = false},
                .warnings = {"mind the gap"},
                .peers = {bob()}};
  status.engine.counters.fates[static_cast<std::size_t>(engine::Fate::kSent)] = 11;
  status.engine.counters.fates[static_cast<std::size_t>(engine::Fate::kDropWireForged)] = 4;
  status.engine.wire_events[static_cast<std::size_t>(engine::WireEvent::kNotOurs)] = 13;
  return status;
}

TEST(StatusJson, HasTheStableKeys) {
  const Json json = to_json(alice());
  std::vector<std::string> keys;
  for (const auto& entry : json.items())
    keys.push_back(entry.key());
  EXPECT_EQ(keys,
            (std::vector<std::string>{"version", "node_id", "public_key", "network", "hostname",
                                      "addresses", "interface", "uptime_s", "nat", "relay", "dht",
                                      "engine", "firewall", "hardening", "warnings", "peers"}));
  EXPECT_EQ(json["interface"], Json({{"name", "tapipop"}, {"mtu", 1420}}));
  EXPECT_EQ(to_text(json["nat"]),
            R"({"kind":"translated","ipv4":"translated","ipv6":"unknown","filtering":"unknown",)"
            R"("mapped":["203.0.113.5:61000"],"servers":[)"
            R"({"endpoint":"192.0.2.1:3478","mapped":"203.0.113.5:61000","rtt_ms":1.5},)"
            R"({"endpoint":"192.0.2.2:3478","mapped":"","rtt_ms":null}],)"
            R"("port_mapping":{"protocol":"upnp","outside":"10.0.0.2:4545",)"
            R"("expires_s":1800,"why":"private"}})");
  EXPECT_EQ(to_text(json["relay"]),
            R"({"serves":true,"homes":["carol","dave"],"circuits":3,"packets":4000,)"
            R"("bytes":5000000,"records":7})");
  EXPECT_EQ(json["dht"], Json({{"connected", true}, {"nodes", 9}}));
  EXPECT_EQ(json["engine"]["fates"]["sent"], 11);
  EXPECT_EQ(json["engine"]["drops"]["wire_forged"], 4);
  EXPECT_EQ(json["engine"]["drops"]["wire_replayed"], 0);
  EXPECT_FALSE(json["engine"]["fates"].contains("wire_forged"));
  EXPECT_EQ(json["engine"]["wire_events"]["not_ours"], 13);
  EXPECT_EQ(json["engine"]["wire_events"]["bad_checksum"], 0);
  EXPECT_EQ(to_text(json["hardening"]), R"({"capabilities":["net_admin"],"no_new_privileges":true,)"
                                        R"("system_calls_filtered":true,"memory_readable":false})");
  EXPECT_EQ(json["peers"][0]["state"], "connected");
  EXPECT_EQ(json["peers"][0]["path"], "direct");
}

TEST(StatusJson, ListsEveryFateOnce) {
  const Json engine = to_json(Status{})["engine"];
  EXPECT_EQ(engine["fates"].size() + engine["drops"].size(), engine::kFateCount);
}

TEST(StatusJson, ListsEveryEventOfTheWireOnce) {
  EXPECT_EQ(to_json(Status{})["engine"]["wire_events"].size(), engine::kWireEventCount);
}

TEST(StatusJson, LeavesTheUnknownNullOrEmpty) {
  const Json peer = to_json(PeerStatus{});
  EXPECT_TRUE(peer["rtt_ms"].is_null());
  EXPECT_TRUE(peer["mtu"].is_null());
  EXPECT_TRUE(peer["handshake_age_s"].is_null());
  EXPECT_EQ(peer["endpoint"], "");
  EXPECT_EQ(peer["node_id"], "");
  EXPECT_EQ(peer["relay_via"], Json::array());
  EXPECT_EQ(peer["path"], "none");
}

TEST(StatusJson, ReadsBackWhatItWrites) {
  for (const Status& status : {alice(), Status{}}) {
    const std::string text = to_text(to_json(status));
    EXPECT_EQ(text.find('\n'), std::string::npos);
    const auto read = status_from_json(Json::parse(text));
    ASSERT_TRUE(read) << read.error().message;
    EXPECT_EQ(to_text(to_json(*read)), text);
  }
}

TEST(StatusJson, ReplacesWhatIsNotUtf8) {
  PeerStatus peer;
  peer.hostname = "b\xff\xc3";
  const std::string text = to_text(to_json(peer));
  const Json read = Json::parse(text, nullptr, false);
  ASSERT_FALSE(read.is_discarded()) << text;
  EXPECT_EQ(read["hostname"], "b\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(StatusJson, ReadsTheStatusOfAnotherVersion) {
  const auto read = status_from_json(
      Json::parse(R"({"hostname":"alice","lanes":[1],"engine":{"drops":{"unheard_of":7}}})"));
  ASSERT_TRUE(read);
  EXPECT_EQ(read->hostname, "alice");
  EXPECT_EQ(read->nat.kind, "unknown");
  EXPECT_EQ(read->engine.wire_events, engine::WireEvents{});
  EXPECT_TRUE(read->hardening.memory_readable);
}

TEST(StatusJson, SaysWhichKeyIsWrong) {
  struct Case {
    const char* text;
    const char* message;
  };
  for (const Case& bad : {
           Case{"[]", "status is not an object"},
           Case{R"({"uptime_s":"long"})", "status.uptime_s has the wrong type"},
           Case{R"({"uptime_s":-1})", "status.uptime_s has the wrong type"},
           Case{R"({"interface":{"mtu":65536}})", "status.interface.mtu has the wrong type"},
           Case{R"({"interface":7})", "status.interface is not an object"},
           Case{R"({"dht":{"connected":1}})", "status.dht.connected has the wrong type"},
           Case{R"({"engine":{"wire_events":{"echo":"x"}}})",
                "status.engine.wire_events.echo has the wrong type"},
           Case{R"({"addresses":[1]})", "status.addresses has the wrong type"},
           Case{R"({"peers":{}})", "status.peers is not a list"},
           Case{R"({"peers":[7]})", "status.peers[] is not an object"},
           Case{R"({"peers":[{"state":"happy"}]})", "status.peers[].state is 'happy'"},
           Case{R"({"peers":[{"path":null}]})", "status.peers[].path has the wrong type"},
           Case{R"({"peers":[{"rtt_ms":"fast"}]})", "status.peers[].rtt_ms has the wrong type"},
       }) {
    const auto read = status_from_json(Json::parse(bad.text));
    ASSERT_FALSE(read) << bad.text;
    EXPECT_NE(read.error().message.find(bad.message), std::string::npos)
        << bad.text << " gave: " << read.error().message;
  }
}

class FindPeer : public ::testing::Test {
 protected:
  std::string found(std::string_view who) {
    const auto peer = find_peer(peers_, who);
    return peer ? (*peer)->hostname + "/" + (*peer)->node_id : peer.error().message;
  }

  std::vector<PeerStatus> peers_{
      {.node_id = "aa11", .hostname = "bob", .addresses = {"192.168.10.20", "10.1.0.0/16"}},
      {.node_id = "aa22", .hostname = "carol", .addresses = {"10.1.2.0/24", "fd00::30"}},
      {.node_id = "bb33", .hostname = "twin"},
      {.node_id = "cc44", .hostname = "twin"},
      {.hostname = "gateway", .addresses = {"not an address"}},
  };
};

TEST_F(FindPeer, KnowsItByAddressNameOrNodeId) {
  EXPECT_EQ(found("192.168.10.20"), "bob/aa11");
  EXPECT_EQ(found("fd00::30"), "carol/aa22");
  EXPECT_EQ(found("Carol"), "carol/aa22");
  EXPECT_EQ(found("AA2"), "carol/aa22");
  EXPECT_EQ(found("gateway"), "gateway/");
}

TEST_F(FindPeer, PrefersTheLongerRoute) {
  EXPECT_EQ(found("10.1.2.3"), "carol/aa22");
  EXPECT_EQ(found("10.1.3.3"), "bob/aa11");
}

TEST_F(FindPeer, SaysWhenItIsNotOne) {
  EXPECT_EQ(found("aa"), "2 node ids begin with 'aa': use more digits of it");
  EXPECT_EQ(found("twin"), "2 peers are called 'twin': use an address or a node id");
  EXPECT_EQ(found("192.168.10.99"), "no peer with the address 192.168.10.99 is known");
  EXPECT_EQ(found("dave"), "no peer has the address, name or node id 'dave'");
  EXPECT_EQ(found(""), "the name of a peer is empty");
}

}  // namespace
}  // namespace ipop::overlay
