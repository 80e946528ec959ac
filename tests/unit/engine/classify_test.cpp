#include "engine/path/classify.hpp"

#include <gtest/gtest.h>

#include "tests/unit/engine/packets.hpp"

namespace ipop::engine {
namespace {

struct Case {
  const char* description;
  Bytes first;
  std::size_t size;
  WireKind kind;
};

const Case kCases[] = {
    {"nothing", {}, 0, WireKind::kUnknown},
    {"three bytes", {4, 0, 0}, 3, WireKind::kUnknown},
    {"data of the least size", {4, 0, 0, 0}, 32, WireKind::kData},
    {"data without room for its tag", {4, 0, 0, 0}, 31, WireKind::kUnknown},
    {"data with a reserved byte set", {4, 0, 1, 0}, 64, WireKind::kUnknown},
    {"WireGuard initiation", {1, 0, 0, 0}, 148, WireKind::kHandshake},
    {"WireGuard initiation cut short", {1, 0, 0, 0}, 147, WireKind::kUnknown},
    {"WireGuard initiation with more behind", {1, 0, 0, 0}, 149, WireKind::kUnknown},
    {"WireGuard response", {2, 0, 0, 0}, 92, WireKind::kHandshake},
    {"WireGuard response cut short", {2, 0, 0, 0}, 91, WireKind::kUnknown},
    {"cookie reply", {3, 0, 0, 0}, 64, WireKind::kHandshake},
    {"cookie reply cut short", {3, 0, 0, 0}, 63, WireKind::kUnknown},
    {"IPOP initiation", {0x11, 0, 0, 0}, 250, WireKind::kHandshake},
    {"IPOP initiation cut short", {0x11, 0, 0, 0}, 147, WireKind::kUnknown},
    {"IPOP response", {0x12, 0, 0, 0}, 180, WireKind::kHandshake},
    {"IPOP response cut short", {0x12, 0, 0, 0}, 91, WireKind::kUnknown},
    {"OpenDHT, the smallest map", {0x80, 0, 0, 0}, 4, WireKind::kOverlay},
    {"OpenDHT, the largest map", {0x8f, 1, 2, 3}, 900, WireKind::kOverlay},
    {"one above OpenDHT", {0x90, 1, 2, 3}, 900, WireKind::kUnknown},
    {"one below OpenDHT", {0x7f, 1, 2, 3}, 900, WireKind::kUnknown},
    {"STUN request", {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, 20, WireKind::kOverlay},
    {"STUN response", {1, 1, 0, 12, 0x21, 0x12, 0xa4, 0x42}, 32, WireKind::kOverlay},
    {"STUN cut short", {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, 19, WireKind::kUnknown},
    {"STUN with another cookie", {0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x43}, 20, WireKind::kUnknown},
    {"zeros", {0, 0, 0, 0, 0, 0, 0, 0}, 100, WireKind::kUnknown},
    {"relay", {5, 0, 0, 0}, 40, WireKind::kRelay},
    {"relay that may pass eight more", {5, 8, 0, 0}, 40, WireKind::kRelay},
    {"relay of the least size", {5, 8, 0, 0}, 12, WireKind::kRelay},
    {"relay with nothing behind its header", {5, 8, 0, 0}, 11, WireKind::kUnknown},
    {"relay with a reserved byte set", {5, 8, 0, 1}, 40, WireKind::kUnknown},
    {"a kind nobody knows", {6, 0, 0, 0}, 40, WireKind::kUnknown},
    {"all ones", {0xff, 0xff, 0xff, 0xff}, 40, WireKind::kUnknown},
};

TEST(Classify, TellsEveryKindByItsFirstBytes) {
  for (const Case& each : kCases) {
    Bytes datagram = each.first;
    datagram.resize(each.size);
    EXPECT_EQ(classify(datagram), each.kind) << each.description;
  }
}

}  // namespace
}  // namespace ipop::engine
