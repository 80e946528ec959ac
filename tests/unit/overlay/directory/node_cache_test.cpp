#include "overlay/directory/node_cache.hpp"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace ipop::overlay {
namespace {

Endpoint endpoint(std::string_view text) {
  return Endpoint::parse(text).value();
}

TEST(NodeCache, RemembersNodesInOrder) {
  const TemporaryDirectory directory;
  const NodeCache cache(directory.path() / "dht_nodes");
  const std::vector nodes{endpoint("192.0.2.1:4222"), endpoint("[2001:db8::1]:4545")};
  ASSERT_TRUE(cache.save(nodes));
  EXPECT_EQ(cache.load(), nodes);
  ASSERT_TRUE(cache.save({}));
  EXPECT_TRUE(cache.load().empty());
}

TEST(NodeCache, IsEmptyWithoutAFile) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(NodeCache(directory.path() / "dht_nodes").load().empty());
  EXPECT_TRUE(NodeCache({}).load().empty());
  EXPECT_TRUE(NodeCache({}).save(std::vector{endpoint("192.0.2.1:1")}));
}

TEST(NodeCache, RemembersTheFirst64UsableNodes) {
  const TemporaryDirectory directory;
  const NodeCache cache(directory.path() / "dht_nodes");
  std::vector<Endpoint> nodes{{IpAddress::v4(0xC0000201), 0}, {IpAddress(), 1}};
  for (std::uint16_t port = 1; port <= 100; ++port) {
    nodes.push_back({IpAddress::parse("2001:db8:1111:2222:3333:4444:5555:6666").value(), port});
  }
  ASSERT_TRUE(cache.save(nodes));
  const auto loaded = cache.load();
  ASSERT_EQ(loaded.size(), 64u);
  EXPECT_EQ(loaded.front().port, 1);
  EXPECT_EQ(loaded.back().port, 64);
}

TEST(NodeCache, SetsADamagedFileAsideAndStartsAnew) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "dht_nodes";
  std::string many = "ipop dht nodes 1\n";
  for (int i = 0; i < 65; ++i)
    many += "192.0.2.1:1\n";
  for (const std::string& content :
       {std::string(), std::string("ipop dht nodes 2\n"), std::string("ipop dht nodes 1"),
        std::string("ipop dht nodes 1\n192.0.2.1:1"), std::string("ipop dht nodes 1\n\n"),
        std::string("ipop dht nodes 1\n192.0.2.1:0\n"), std::string("ipop dht nodes 1\n:::1\n"),
        std::string("ipop dht nodes 1\n224.0.0.1:7\n"), std::string(100'000, 'x'),
        std::string("\0\xff\n", 3), many}) {
    std::ofstream(file) << content;
    const NodeCache cache(file);
    EXPECT_TRUE(cache.load().empty()) << content.substr(0, 40);
    EXPECT_FALSE(std::filesystem::exists(file));
    EXPECT_TRUE(std::filesystem::exists(file.string() + ".bad"));
    ASSERT_TRUE(cache.save(std::vector{endpoint("192.0.2.1:4222")}));
    EXPECT_EQ(cache.load().size(), 1u);
  }
}

TEST(NodeCache, TellsThatItCannotBeSaved) {
  EXPECT_FALSE(NodeCache("/nonexistent/dht_nodes").save({}));
}

}  // namespace
}  // namespace ipop::overlay
