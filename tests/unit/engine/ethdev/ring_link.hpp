// A link of two rings with an EthdevPort at one end; the test plays whoever is at the other. The
// port is one of DPDK's that lives on rings, so no card and no kernel is needed. At the end of each
// test all buffers must be back.
#pragma once

#include <gtest/gtest.h>
#include <rte_ring.h>

#include <optional>
#include <string>
#include <vector>

#include "engine/mempool.hpp"
#include "engine/port/ethdev_port.hpp"
#include "tests/unit/engine/net/frames.hpp"

namespace ipop::engine::testing {

// A port of DPDK's on two rings for each of its queues, with our Ethernet address.
class RingDevice {
 public:
  // `room`: frames that each direction holds, a power of two less one.
  explicit RingDevice(unsigned room = 255, unsigned queues = 1);
  ~RingDevice();
  RingDevice(const RingDevice&) = delete;
  RingDevice& operator=(const RingDevice&) = delete;

  // As wire.device would have it.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

  // To a queue of the port; false if it has no room.
  [[nodiscard]] bool push(rte_mbuf* frame, unsigned queue = 0);
  // What the port sent by a queue, or nullptr.
  [[nodiscard]] rte_mbuf* pop(unsigned queue = 0);

 private:
  std::string name_;
  std::vector<rte_ring*> in_;  // by queue
  std::vector<rte_ring*> out_;
};

struct Taken {
  Endpoint from;
  Bytes payload;

  friend bool operator==(const Taken&, const Taken&) = default;
};

struct Outcome {
  std::uint32_t sent = 0;
  std::uint32_t refused = 0;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

class RingLink : public ::testing::Test {
 protected:
  static constexpr std::uint16_t kOurPort = 4545;

  void SetUp() override;
  void TearDown() override;

  // 192.0.2.1/24 and 2001:db8::1/64 with a gateway each, on port 4545.
  [[nodiscard]] static EthdevPortSettings both_families();
  // Makes the port and takes its announcements off the link.
  void open(EthdevPortSettings settings = both_families(), unsigned room = 255);
  void wait(Duration time);

  // What a lcore does.
  [[nodiscard]] rte_mbuf* datagram(const std::string& to, ByteView payload);
  [[nodiscard]] rte_mbuf* train(const std::string& to, ByteView payload, std::uint16_t each);
  Outcome send(std::vector<rte_mbuf*> burst);
  Outcome send(const std::string& to, ByteView payload) { return send({datagram(to, payload)}); }
  [[nodiscard]] std::vector<Taken> receive();

  // What the other end does.
  void arrive(ByteView frame);
  [[nodiscard]] std::vector<Taken> receive(ByteView frame);
  [[nodiscard]] std::vector<Bytes> left();
  // A neighbour at kTheirMac that has been asked for, and has answered.
  void meet(const std::string& address);
  [[nodiscard]] Bytes answer_of(const std::string& address, const MacAddress& mac = kTheirMac);

  [[nodiscard]] std::uint64_t count(WireEvent event) const;
  // Of everything.
  [[nodiscard]] std::uint64_t count_all() const;

  std::optional<Mempool> pool;
  std::optional<RingDevice> device;
  std::optional<EthdevPort> port;
  Instant now{std::chrono::hours(1)};
};

}  // namespace ipop::engine::testing
