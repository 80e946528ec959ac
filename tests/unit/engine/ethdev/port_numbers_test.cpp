#include "engine/port/port_numbers.hpp"

#include <gtest/gtest.h>

#include <set>

#include "engine/api/wire_event.hpp"

namespace ipop::engine {
namespace {

TEST(PortNumbers, HaveTheMainPortAsSocketZero) {
  PortNumbers numbers(4545);
  EXPECT_EQ(numbers.main(), 4545);
  EXPECT_EQ(numbers.port_of(0), 4545);
  EXPECT_EQ(numbers.socket_at(4545), 0);
  numbers.close(0);
  EXPECT_EQ(numbers.port_of(0), 4545);
  EXPECT_EQ(numbers.socket_at(4545), 0);
}

TEST(PortNumbers, KnowNobodyElse) {
  const PortNumbers numbers(4545);
  for (const unsigned port : {0u, 1u, 4544u, 49152u, 65535u})
    EXPECT_EQ(numbers.socket_at(static_cast<std::uint16_t>(port)), -1) << port;
  for (const unsigned socket : {1u, 1280u, 1281u, 65535u})
    EXPECT_EQ(numbers.port_of(static_cast<std::uint16_t>(socket)), 0) << socket;
}

TEST(PortNumbers, GiveEachSocketADynamicPortOfItsOwn) {
  // The main one lies among them.
  PortNumbers numbers(50000);
  std::set<std::uint16_t> sockets;
  std::set<std::uint16_t> ports{50000};
  for (std::size_t i = 0; i < WireSockets::kMost; ++i) {
    const std::uint16_t socket = numbers.open().value();
    const std::uint16_t port = numbers.port_of(socket);
    EXPECT_NE(socket, 0);
    EXPECT_GE(port, 49152);
    EXPECT_EQ(numbers.socket_at(port), socket);
    EXPECT_TRUE(sockets.insert(socket).second);
    EXPECT_TRUE(ports.insert(port).second);
  }
  EXPECT_FALSE(numbers.open());
  numbers.close(*sockets.begin());
  EXPECT_TRUE(numbers.open());
  EXPECT_FALSE(numbers.open());
}

TEST(PortNumbers, GiveEachLaneOneThatNobodyListensTo) {
  for (const std::uint16_t main : {std::uint16_t{4545}, std::uint16_t{65530}}) {
    const PortNumbers numbers(main);
    std::set<std::uint16_t> ports{numbers.main()};
    for (unsigned lane = 1; lane < kMaxLanes; ++lane) {
      const std::uint16_t port = numbers.port_of(lane_socket(lane));
      EXPECT_NE(port, 0);
      EXPECT_TRUE(ports.insert(port).second) << lane;
      EXPECT_EQ(numbers.socket_at(port), -1);
    }
    EXPECT_EQ(numbers.port_of(lane_socket(0)), 0);
    EXPECT_EQ(numbers.port_of(lane_socket(kMaxLanes)), 0);
  }
}

TEST(PortNumbers, ForgetWhatIsClosed) {
  PortNumbers numbers(4545);
  const std::uint16_t socket = numbers.open().value();
  const std::uint16_t port = numbers.port_of(socket);
  numbers.close(socket);
  EXPECT_EQ(numbers.port_of(socket), 0);
  EXPECT_EQ(numbers.socket_at(port), -1);
  // Once more, and one that never was: no other is lost by it.
  numbers.close(socket);
  numbers.close(65535);
  for (std::size_t i = 0; i < WireSockets::kMost; ++i)
    ASSERT_TRUE(numbers.open());
  EXPECT_FALSE(numbers.open());
}

TEST(PortNumbers, LetANumberRest) {
  PortNumbers numbers(4545);
  std::set<std::uint16_t> seen;
  for (std::size_t i = 0; i < 4 * WireSockets::kMost; ++i) {
    const std::uint16_t socket = numbers.open().value();
    EXPECT_TRUE(seen.insert(socket).second) << i;
    numbers.close(socket);
  }
  EXPECT_TRUE(seen.contains(numbers.open().value()));
}

TEST(WireEvent, HasANameOfItsOwn) {
  std::set<std::string> names;
  for (std::size_t i = 0; i < kWireEventCount; ++i)
    EXPECT_TRUE(names.insert(name(static_cast<WireEvent>(i))).second) << i;
  EXPECT_STREQ(name(WireEvent::kNeighbour), "neighbour");
  EXPECT_STREQ(name(WireEvent::kBadChecksum), "bad_checksum");
  EXPECT_STREQ(name(WireEvent::kQueueFull), "queue_full");
  EXPECT_STREQ(name(WireEvent::kCopied), "copied");
}

}  // namespace
}  // namespace ipop::engine
