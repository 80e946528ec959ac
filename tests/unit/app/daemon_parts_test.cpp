#include "app/daemon_parts.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace ipop::app {
namespace {

conf::Config tutorial() {
  conf::Config config;
  config.network.name = "tutorial";
  config.network.address = *Prefix::parse("192.168.10.10/24");
  return config;
}

TEST(DaemonParts, FitTheInterfaceToTheUsualPath) {
  EXPECT_EQ(link_settings(tutorial()).mtu, 1420);
  EXPECT_EQ(engine_settings(tutorial()).pool.largest_packet, 1500u);
}

TEST(DaemonParts, MakeBuffersThatHoldALargePacketOfTheInterface) {
  conf::Config config = tutorial();
  config.interface.mtu = 9000;
  EXPECT_EQ(link_settings(config).mtu, 9000);
  EXPECT_EQ(engine_settings(config).pool.largest_packet, 9000u);
}

TEST(DaemonParts, KnowBothAddresses) {
  conf::Config config = tutorial();
  EXPECT_EQ(inner_addresses(config).size(), 1u);
  config.network.address6 = *Prefix::parse("fd00:1::10/64");
  ASSERT_EQ(inner_addresses(config).size(), 2u);
  EXPECT_EQ(link_settings(config).addresses[1].to_string(), "fd00:1::10/64");
}

TEST(DaemonParts, HaveAsManyLcoresAsTheMachineCanSpare) {
  conf::Config config = tutorial();
  for (const auto& [processors, expected] :
       {std::pair{1u, 1u}, {2u, 1u}, {4u, 1u}, {8u, 2u}, {16u, 4u}, {32u, 8u}, {256u, 8u}}) {
    EXPECT_EQ(lcores(config, processors), expected) << processors;
  }
  config.engine.cpus = {3};
  EXPECT_EQ(lcores(config, 16), 4u);
  config.engine.cpus = {3, 4, 5};
  EXPECT_EQ(lcores(config, 16), 3u);
  config.engine.lcores = 5;
  EXPECT_EQ(lcores(config, 1), 5u);
}

TEST(DaemonParts, GiveEachLcoreQueuesAndBuffers) {
  conf::Config config = tutorial();
  config.engine.lcores = 3;
  EXPECT_EQ(link_settings(config).queues, 3u);
  EXPECT_TRUE(wire_settings(config).shares_port);
  EXPECT_EQ(engine_settings(config).pool.packets, 3 * 8192 - 1u);
  config.engine.lcores = 1;
  EXPECT_EQ(link_settings(config).queues, 1u);
  EXPECT_FALSE(wire_settings(config).shares_port);
  EXPECT_EQ(engine_settings(config).pool.packets, 8191u);
}

TEST(DaemonParts, HaveALaneForEachLcore) {
  conf::Config config = tutorial();
  config.engine.lcores = 1;
  EXPECT_EQ(lanes(config).sent, 1);
  EXPECT_EQ(lanes(config).taken, 4);  // of a larger peer
  config.engine.lcores = 6;
  EXPECT_EQ(lanes(config).sent, 6);
  EXPECT_EQ(lanes(config).taken, 6);
  config.engine.lanes = 16;
  EXPECT_EQ(lanes(config).sent, 16);
  EXPECT_EQ(lanes(config).taken, 16);
}

TEST(DaemonParts, OfferWhatTheMachineHasAndTheUserWants) {
  constexpr std::uint8_t kChaCha = 1;
  constexpr std::uint8_t kAes = 2;
  conf::Config config = tutorial();
  EXPECT_EQ(suites(config, kChaCha | kAes), kChaCha | kAes);
  EXPECT_EQ(suites(config, kChaCha), kChaCha);
  config.engine.cipher = conf::CipherChoice::kChaCha20Poly1305;
  EXPECT_EQ(suites(config, kChaCha | kAes), kChaCha);
  config.engine.cipher = conf::CipherChoice::kAes256Gcm;
  EXPECT_EQ(suites(config, kChaCha | kAes), kAes);
  EXPECT_THROW((void)suites(config, kChaCha), std::runtime_error);
}

TEST(DaemonParts, JoinTheDhtInTheFamiliesOfTheWire) {
  const conf::Config config = tutorial();
  const Endpoint v4 = *Endpoint::parse("0.0.0.0:4545");
  const Endpoint v6 = *Endpoint::parse("[::]:4545");
  EXPECT_TRUE(directory_settings(config, {v4}).ipv4);
  EXPECT_FALSE(directory_settings(config, {v4}).ipv6);
  EXPECT_FALSE(directory_settings(config, {v6}).ipv4);
  EXPECT_TRUE(directory_settings(config, {v4, v6}).ipv6);
}

TEST(DaemonParts, AskTheRouterForTheWiresPort) {
  conf::Config config = tutorial();
  const Endpoint v4 = *Endpoint::parse("0.0.0.0:4545");
  const Endpoint v6 = *Endpoint::parse("[::]:4545");
  EXPECT_EQ(port_to_map(config, {v6, v4}).value(), 4545);
  EXPECT_EQ(port_to_map(config, {v6}).error(), "overlay.listen has no IPv4 address");
  EXPECT_FALSE(port_to_map(config, {*Endpoint::parse("127.0.0.1:4545")}));
  config.overlay.port_mapping = false;
  EXPECT_EQ(port_to_map(config, {v4}).error(), "off by overlay.port_mapping");
}

conf::Config on_a_card(const std::string& device) {
  conf::Config config = tutorial();
  config.wire.backend = conf::WireBackend::kDpdk;
  config.wire.device = device;
  config.wire.address = *Prefix::parse("192.0.2.10/24");
  return config;
}

TEST(DaemonParts, StartDpdkWithTheCardOfTheWire) {
  EXPECT_EQ(engine_settings(tutorial()).pci_device, "");
  EXPECT_EQ(engine_settings(on_a_card("0000:00:05.0")).pci_device, "0000:00:05.0");
  EXPECT_EQ(engine_settings(on_a_card("00:05.0,arg=1")).pci_device, "0000:00:05.0");
  EXPECT_EQ(engine_settings(on_a_card("net_af_packet0,iface=eth0")).pci_device, "");
  // A device that is not used.
  conf::Config config = on_a_card("0000:00:05.0");
  config.wire.backend = conf::WireBackend::kSocket;
  EXPECT_EQ(engine_settings(config).pci_device, "");
}

TEST(DaemonParts, MakeBuffersThatHoldALargePacketOfTheWire) {
  conf::Config config = on_a_card("0000:00:05.0");
  EXPECT_EQ(engine_settings(config).pool.largest_packet, 1500u);
  config.wire.mtu = 9000;
  EXPECT_EQ(engine_settings(config).pool.largest_packet, 9000u);
  config.wire.backend = conf::WireBackend::kSocket;
  EXPECT_EQ(engine_settings(config).pool.largest_packet, 1500u);
}

TEST(DaemonParts, DoNotAskTheKernelsRouterForAnotherWire) {
  EXPECT_EQ(port_to_map(on_a_card("0000:00:05.0"), {*Endpoint::parse("192.0.2.10:4545")}).error(),
            "routers are asked through the kernel, which does not have the wire");
}

TEST(DaemonParts, InsistOnTheOnlyAddressToListenOn) {
  conf::Config config = tutorial();
  config.overlay.listen = {*Endpoint::parse("[::]:4545")};
  EXPECT_FALSE(wire_settings(config).allow_missing_family);
  config.overlay.listen.push_back(*Endpoint::parse("0.0.0.0:4545"));
  EXPECT_TRUE(wire_settings(config).allow_missing_family);
}

TEST(DaemonParts, PassOnStaticPeers) {
  conf::Config config = tutorial();
  config.overlay.peers.push_back({.name = "gateway",
                                  .endpoint = Endpoint::parse("192.0.2.1:51820").value(),
                                  .allowed_ips = {*Prefix::parse("10.7.0.0/16")},
                                  .protocol = conf::PeerProtocol::kWireGuard,
                                  .persistent_keepalive_s = 25});
  const auto peers = static_peers(config);
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_EQ(peers[0].name, "gateway");
  EXPECT_EQ(peers[0].form, overlay::handshake::Form::kWireGuard);
  EXPECT_EQ(peers[0].persistent_keepalive, Duration(std::chrono::seconds(25)));
  EXPECT_EQ(peers[0].endpoint->to_string(), "192.0.2.1:51820");
}

}  // namespace
}  // namespace ipop::app
