#include "perf/pps/engine_between.hpp"

#include <stdexcept>

#include "engine/path/packet.hpp"
#include "perf/pps/engine_node.hpp"
#include "perf/pps/host_frames.hpp"
#include "perf/pps/memif_wire.hpp"
#include "perf/pps/memory_wire.hpp"
#include "perf/pps/ring_wire.hpp"

namespace ipop::perf {

using namespace ipop::engine;

namespace {

TableSizes sizes_for(const Workload& workload) {
  const std::uint32_t peers = workload.peers + workload.idle + 1024;
  return {.peers = peers, .sessions = 2 * peers, .hosts = peers, .prefixes = 16};
}

// Peer i of the sender is 10.0.0.0 + i; the sender itself has a face 10.128.0.0 + i for each, so
// that the receiver sees as many peers.
IpAddress far_address(std::uint32_t i) {
  return IpAddress::v4(0x0a000000 + i);
}
IpAddress near_address(std::uint32_t i) {
  return IpAddress::v4(0x0a800000 + i);
}
Endpoint far_endpoint(std::uint32_t i) {
  return {IpAddress::v4(0x64400000 + i), 4545};
}
Endpoint near_endpoint(std::uint32_t i) {
  return {IpAddress::v4(0x64600000 + i), 4545};
}

// All but the last are for other ports, and half of them ask for more than that.
conf::Firewall firewall_of(std::uint32_t rules) {
  conf::Firewall firewall;
  for (std::uint32_t i = 0; i + 1 < rules; ++i) {
    const auto port = static_cast<std::uint16_t>(i);
    conf::FirewallRule rule{.action = conf::FirewallAction::kDeny, .ports = {{port, port}}};
    if (i % 2 == 0) rule = {.action = conf::FirewallAction::kDeny, .groups = {"guests"}};
    firewall.inbound.push_back(rule);
  }
  firewall.inbound.push_back({.action = conf::FirewallAction::kAllow, .ports = {{5000, 5001}}});
  firewall.outbound = firewall.inbound;
  firewall.default_inbound = firewall.default_outbound = conf::FirewallAction::kDeny;
  return firewall;
}

}  // namespace

template <typename Wire>
EngineBetween<Wire>::EngineBetween(const Workload& workload)
    : workload_(workload),
      sender_(std::make_unique<EngineNode<Wire>>(sizes_for(workload))),
      receiver_(std::make_unique<EngineNode<Wire>>(sizes_for(workload))) {
  // Those that talk come last, in the midst of nothing.
  for (std::uint32_t i = workload.peers + workload.idle; i-- != 0;)
    join(i);
  if (workload.rules == 0) return;
  for (auto* const node : {sender_.get(), receiver_.get()}) {
    node->table.set_firewall(firewall_of(workload.rules), [](const firewall::RuleSet&, PeerIndex) {
      return firewall::PeerMarks{};
    });
  }
}

template <typename Wire>
EngineBetween<Wire>::~EngineBetween() = default;

template <typename Wire>
void EngineBetween<Wire>::join(std::uint32_t peer) {
  const auto key = Secret<32>::random();
  EngineNode<Wire>* const nodes[] = {sender_.get(), receiver_.get()};
  PeerIndex peers[2];
  ReceiverIndex locals[2];
  for (int n = 0; n < 2; ++n) {
    peers[n] = *nodes[n]->table.add_peer();
    locals[n] = *nodes[n]->table.reserve_session();
  }
  for (int n = 0; n < 2; ++n) {
    DpdkForwardingTable& table = nodes[n]->table;
    table.publish_session({.peer = peers[n],
                           .local = locals[n],
                           .remote = static_cast<std::uint32_t>(locals[1 - n]),
                           .suite = workload_.suite,
                           .partial_checksums = true,
                           .send_key = key,
                           .receive_key = key,
                           .send_until = now_ + std::chrono::hours(1),
                           .receive_until = now_ + std::chrono::hours(1)});
    table.use_session(peers[n], locals[n]);
    table.set_path(peers[n], {n == 0 ? far_endpoint(peer) : near_endpoint(peer), 1500});
    const auto added =
        table.add_route(Prefix::host(n == 0 ? far_address(peer) : near_address(peer)), peers[n]);
    if (!added) throw std::runtime_error(added.error().message);
  }
}

template <typename Wire>
std::uint16_t EngineBetween<Wire>::make_frames(rte_mbuf** frames, std::uint32_t* order) {
  const auto count = static_cast<std::uint16_t>(workload_.units());
  rte_mempool* const pool = (workload_.supers ? sender_->supers : sender_->pool).get();
  if (rte_pktmbuf_alloc_bulk(pool, frames, count) != 0) {
    throw std::runtime_error("no buffers left");
  }
  for (std::uint16_t i = 0; i < count; ++i) {
    order[i] = static_cast<std::uint32_t>(random_() % workload_.peers);
    const IpAddress from = near_address(order[i]);
    const IpAddress to = far_address(order[i]);
    workload_.supers ? write_super_frame(frames[i], from, to)
                     : write_udp_frame(frames[i], from, to, workload_.size);
  }
  return count;
}

template <typename Wire>
void EngineBetween<Wire>::run_batch() {
  rte_mbuf* burst[kBurst];
  std::uint32_t order[kBurst];
  for (std::uint32_t round = 0; round < workload_.rounds(); ++round) {
    sender_->host.lay_in({burst, make_frames(burst, order)});
    encap_.time(workload_.units(), [&] { sender_->state.turn(now_); });
    const std::uint16_t sealed = sender_->wire.take(burst);
    for (std::uint16_t i = 0; i < sealed; ++i)
      receiver_->wire.address(burst[i], near_endpoint(order[i]));
    receiver_->wire.give({burst, sealed});
    decap_.time(workload_.units(), [&] { receiver_->state.turn(now_); });
    receiver_->punts.drain(kBurst, [](const Punt&) {});
  }
  rounds_ += workload_.rounds();
  encap_.end_batch();
  decap_.end_batch();
}

template <typename Wire>
void EngineBetween<Wire>::must_be_complete() const {
  const std::uint64_t packets = rounds_ * workload_.packets();
  if (sender_->count(Fate::kSent) != packets || receiver_->count(Fate::kDelivered) != packets ||
      receiver_->host.packets() != packets) {
    throw std::runtime_error("packets were lost on the way");
  }
  if (workload_.supers && receiver_->host.frames() != rounds_) {
    throw std::runtime_error("trains did not become frames again");
  }
}

template class EngineBetween<MemoryWire>;
template class EngineBetween<RingWire>;
template class EngineBetween<MemifWire>;

}  // namespace ipop::perf
