#include "ring_link.hpp"

#include <rte_bus_vdev.h>
#include <rte_eth_ring.h>
#include <rte_ethdev.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "engine/engine.hpp"
#include "engine/path/packet.hpp"

namespace ipop::engine::testing {

RingDevice::RingDevice(unsigned room, unsigned queues) {
  static unsigned made = 0;
  const std::string label = "link" + std::to_string(made++);
  const auto make = [&](const char* way, unsigned queue) {
    const std::string name = label + way + std::to_string(queue);
    return rte_ring_create(name.c_str(), room + 1, SOCKET_ID_ANY, 0);
  };
  for (unsigned queue = 0; queue < queues; ++queue) {
    in_.push_back(make("-in", queue));
    out_.push_back(make("-out", queue));
  }
  const int id = rte_eth_from_rings(label.c_str(), in_.data(), queues, out_.data(), queues, 0);
  EXPECT_GE(id, 0);
  // The driver has put this in front.
  name_ = "net_ring_" + label;
  rte_ether_addr address{};
  kOurMac.write_to(address.addr_bytes);
  // It takes the place of the driver's, which is zero.
  EXPECT_EQ(rte_eth_dev_mac_addr_add(static_cast<std::uint16_t>(id), &address, 0), 0);
}

RingDevice::~RingDevice() {
  EXPECT_EQ(rte_vdev_uninit(name_.c_str()), 0);
  for (rte_ring* const ring : in_) {
    void* unread = nullptr;
    while (rte_ring_dequeue(ring, &unread) == 0)
      rte_pktmbuf_free(static_cast<rte_mbuf*>(unread));
    rte_ring_free(ring);
  }
  for (rte_ring* const ring : out_)
    rte_ring_free(ring);
}

bool RingDevice::push(rte_mbuf* frame, unsigned queue) {
  return rte_ring_enqueue(in_.at(queue), frame) == 0;
}

rte_mbuf* RingDevice::pop(unsigned queue) {
  void* frame = nullptr;
  return rte_ring_dequeue(out_.at(queue), &frame) == 0 ? static_cast<rte_mbuf*>(frame) : nullptr;
}

void RingLink::SetUp() {
  start_eal_for({});
  pool.emplace(PoolSettings{.packets = 1023, .largest_packet = 1500});
}

void RingLink::TearDown() {
  if (port) port->release_buffers();
  if (device) {
    (void)left();
    port.reset();
    device.reset();
  }
  EXPECT_EQ(pool->available(), pool->size());
}

EthdevPortSettings RingLink::both_families() {
  return {.device = {},
          .addresses = {{ip("192.0.2.1"), 24}, {ip("2001:db8::1"), 64}},
          .gateways = {ip("192.0.2.254"), ip("fe80::fe")},
          .port = kOurPort};
}

void RingLink::open(EthdevPortSettings settings, unsigned room) {
  device.emplace(room);
  settings.device.device = device->name();
  port.emplace(settings);
  port->attach(PacketPools(pool->get()));
  port->tick(now);
  EXPECT_EQ(left().size(), settings.addresses.size());
}

void RingLink::wait(Duration time) {
  now += time;
  port->tick(now);
}

rte_mbuf* RingLink::datagram(const std::string& to, ByteView payload) {
  rte_mbuf* const made = rte_pktmbuf_alloc(pool->get());
  std::ranges::copy(payload, data_of(made));
  set_length(made, static_cast<std::uint32_t>(payload.size()));
  const auto endpoint = Endpoint::parse(to);
  EXPECT_TRUE(endpoint) << to;
  meta(made).endpoint = endpoint.value_or(Endpoint{});
  return made;
}

rte_mbuf* RingLink::train(const std::string& to, ByteView payload, std::uint16_t each) {
  rte_mbuf* const made = datagram(to, payload);
  made->tso_segsz = each;
  return made;
}

Outcome RingLink::send(std::vector<rte_mbuf*> burst) {
  Outcome outcome{.sent = 99, .refused = 99};
  port->tx_burst(burst, outcome.sent, outcome.refused);
  return outcome;
}

std::vector<Taken> RingLink::receive() {
  std::vector<Taken> taken;
  rte_mbuf* burst[kBurst];
  const std::uint16_t got = port->rx_burst(PacketPools(pool->get()), burst);
  for (std::uint16_t i = 0; i < got; ++i) {
    const MutableBytes bytes = bytes_of(burst[i]);
    EXPECT_EQ(burst[i]->pkt_len, bytes.size());
    EXPECT_EQ(burst[i]->tso_segsz, 0);
    taken.push_back({meta(burst[i]).endpoint, Bytes(bytes.begin(), bytes.end())});
    rte_pktmbuf_free(burst[i]);
  }
  return taken;
}

void RingLink::arrive(ByteView frame) {
  rte_mbuf* const made = rte_pktmbuf_alloc(pool->get());
  std::ranges::copy(frame, data_of(made));
  set_length(made, static_cast<std::uint32_t>(frame.size()));
  ASSERT_TRUE(device->push(made));
}

std::vector<Taken> RingLink::receive(ByteView frame) {
  arrive(frame);
  return receive();
}

std::vector<Bytes> RingLink::left() {
  std::vector<Bytes> frames;
  while (rte_mbuf* const frame = device->pop()) {
    const MutableBytes bytes = bytes_of(frame);
    frames.emplace_back(bytes.begin(), bytes.end());
    rte_pktmbuf_free(frame);
  }
  return frames;
}

Bytes RingLink::answer_of(const std::string& address, const MacAddress& mac) {
  if (ip(address).is_v4()) {
    return framed(kOurMac, mac, 0x0806, arp(2, mac, address, kOurMac, "192.0.2.1"));
  }
  return framed(kOurMac, mac, 0x86dd,
                NeighbourPacket{.type = 136,
                                .source = address,
                                .destination = "2001:db8::1",
                                .target = address,
                                .flags = 0x60,
                                .options = join({hex("0201"), mac.bytes})}
                    .bytes());
}

void RingLink::meet(const std::string& address) {
  const bool v4 = ip(address).is_v4();
  send(v4 ? address + ":9" : "[" + address + "]:9", Bytes{1});
  EXPECT_TRUE(receive(answer_of(address)).empty());
  // The question, and what waited for the answer.
  EXPECT_EQ(left().size(), 2u);
}

std::uint64_t RingLink::count(WireEvent event) const {
  return port->events().at(static_cast<std::size_t>(event));
}

std::uint64_t RingLink::count_all() const {
  const WireEvents events = port->events();
  return std::accumulate(events.begin(), events.end(), std::uint64_t{0});
}

}  // namespace ipop::engine::testing
