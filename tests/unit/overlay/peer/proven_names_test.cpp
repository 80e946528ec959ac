#include <gtest/gtest.h>

#include "overlay/peer/peer.hpp"

namespace ipop::overlay {
namespace {

Peer make_peer() {
  return {engine::PeerIndex{1}, handshake::Form::kIpop, ExchangePublicKey{}, Secret<32>{}};
}

TEST(ProvenNames, AreNoneOfAStranger) {
  const ProvenNames names = make_peer().proven_names();
  EXPECT_TRUE(names.names.empty());
  EXPECT_TRUE(names.groups.empty());
  EXPECT_EQ(names.node_id, "");
}

TEST(ProvenNames, AreNotWhatAPeerSaysOfItself) {
  Peer peer = make_peer();
  Credential credential{};
  credential.hostname = "admin";
  credential.signing_key.fill(7);
  peer.credential = credential;
  const ProvenNames names = peer.proven_names();
  EXPECT_TRUE(names.names.empty());
  EXPECT_EQ(names.node_id, NodeId::of(credential.signing_key).to_string());
}

TEST(ProvenNames, AreThoseOfConfigurationAndCertificate) {
  Peer peer = make_peer();
  peer.configured = StaticPeer{.name = "bob"};
  EXPECT_EQ(peer.proven_names().names, std::vector<std::string>{"bob"});
  peer.trust.standing = x509::Standing{
      .valid_until = {}, .name = "Bob", .groups = {"web", "db"}, .dns_names = {"bob.example"}};
  const ProvenNames names = peer.proven_names();
  EXPECT_EQ(names.names, (std::vector<std::string>{"bob", "Bob", "bob.example"}));
  EXPECT_EQ(names.groups, (std::vector<std::string>{"web", "db"}));
  peer.trust.standing.reset();
  EXPECT_TRUE(peer.proven_names().groups.empty());
}

}  // namespace
}  // namespace ipop::overlay
