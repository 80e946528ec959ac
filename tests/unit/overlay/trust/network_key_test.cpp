#include "overlay/trust/network_key.hpp"

#include <gtest/gtest.h>

#include <set>

namespace ipop::overlay {
namespace {

NetworkKey derive(std::string_view name, std::string_view secret) {
  return NetworkKey::derive(name, secret).value();
}

// The keys are the protocol: nodes of different versions must find the same ones.
TEST(NetworkKey, DerivesTheSameKeysForever) {
  const NetworkKey key = derive("ipop_tutorial_05_21_2013_your_name", "");
  EXPECT_EQ(to_hex(key.handshake_psk().bytes()),
            "f9f878afae94cf6284769ad8e6057b7f39ab24d910f7a4df33e6c80d6e4e45ce");
  EXPECT_EQ(to_hex(key.handshake_mac().bytes()),
            "7d5cb0176da654004cb98f1f29bb0a4c0473cc0e876afb99d42e02a571c1512e");
  EXPECT_EQ(to_hex(key.record_seal().bytes()),
            "832bf0cb6a22d58b2c59b33b3ff9800076d52dd2b616168609a0169dd5481bf8");
  EXPECT_EQ(to_hex(key.address_key(IpAddress::v4(0xC0A80A0A)).bytes),
            "0c98ebc381ab0fb2ea4e758ed5ca8233bc81af02");
  EXPECT_EQ(to_hex(key.node_key({}).bytes), "6389b7856baa5588a06a89c86eb35ea8e4511bab");
  EXPECT_EQ(to_hex(key.inbox_key({}).bytes), "1bdd0d2e1a7ed5c7b12ffd4bfaa8e5f6957a680c");
}

TEST(NetworkKey, ChangesWithNameAndSecret) {
  const NetworkKey keys[] = {derive("a", ""), derive("b", ""), derive("a", "s"), derive("b", "s"),
                             derive("a", "t")};
  std::set<std::string> seen;
  for (const NetworkKey& key : keys) {
    seen.insert(to_hex(key.handshake_psk().bytes()));
    seen.insert(to_hex(key.handshake_mac().bytes()));
    seen.insert(to_hex(key.record_seal().bytes()));
    seen.insert(to_hex(key.node_key({}).bytes));
    seen.insert(to_hex(key.inbox_key({}).bytes));
    seen.insert(to_hex(key.address_key({}).bytes));
  }
  EXPECT_EQ(seen.size(), 30u);
}

TEST(NetworkKey, PutsEverySubjectInAPlaceOfItsOwn) {
  const NetworkKey key = derive("a", "");
  NodeId other;
  other.bytes[19] = 1;
  EXPECT_NE(key.node_key({}), key.node_key(other));
  EXPECT_NE(key.inbox_key({}), key.inbox_key(other));
  EXPECT_NE(key.address_key(IpAddress::v4(1)), key.address_key(IpAddress::v4(2)));
}

TEST(NetworkKey, NeedsAName) {
  EXPECT_FALSE(NetworkKey::derive("", "secret"));
}

}  // namespace
}  // namespace ipop::overlay
