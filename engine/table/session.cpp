#include "engine/table/session.hpp"

#include <algorithm>

namespace ipop::engine {
namespace {

template <typename Visit>
void for_each(const Traffic& first, const auto* further, unsigned count, Visit visit) {
  visit(first);
  for (unsigned i = 1; i < count; ++i) {
    if constexpr (requires { further->received; }) {
      visit(static_cast<const Traffic&>(further[i - 1].received));
    } else {
      visit(static_cast<const Traffic&>(further[i - 1]));
    }
  }
}

}  // namespace

void Session::add_lanes(std::uint8_t send, std::uint8_t receive) {
  sent.lanes = std::clamp<std::uint8_t>(send, 1, kMaxLanes);
  lanes = std::clamp<std::uint8_t>(receive, 1, kMaxLanes);
  if (sent.lanes > 1) further_send_ = std::make_unique<SendLane[]>(sent.lanes - 1u);
  if (lanes > 1) further_receive_ = std::make_unique<ReceiveLane[]>(lanes - 1u);
  for (std::uint8_t i = 1; i < sent.lanes; ++i) {
    SendLane& lane = send_lane(i);
    lane.send_until = sent.send_until;
    lane.key = sent.key;
    lane.remote = sent.remote;
    lane.pads = sent.pads;
    lane.partial_checksums = sent.partial_checksums;
    lane.number = i;
    lane.lanes = sent.lanes;
  }
  for (std::uint8_t i = 1; i < lanes; ++i) {
    ReceiveLane& lane = receive_lane(i);
    lane.local = local;
    lane.peer = peer;
    lane.receive_until = receive_until;
    lane.form = form;
    lane.lanes = lanes;
    lane.number = i;
  }
}

SessionActivity Session::activity() const noexcept {
  SessionActivity sum;
  for_each(sent, further_send_.get(), sent.lanes, [&](const Traffic& lane) {
    sum.tx_packets += lane.packets.get();
    sum.last_data_tx = std::max(sum.last_data_tx, lane.last_data.get());
    sum.last_tx = std::max(sum.last_tx, lane.last.get());
  });
  for_each(received, further_receive_.get(), lanes, [&](const Traffic& lane) {
    sum.rx_packets += lane.packets.get();
    sum.last_data_rx = std::max(sum.last_data_rx, lane.last_data.get());
    sum.last_rx = std::max(sum.last_rx, lane.last.get());
  });
  return sum;
}

void Session::add_data(PeerCounters& sum) const noexcept {
  for_each(sent, further_send_.get(), sent.lanes, [&](const Traffic& lane) {
    sum.tx_packets += lane.data_packets.get();
    sum.tx_bytes += lane.data_bytes.get();
  });
  for_each(received, further_receive_.get(), lanes, [&](const Traffic& lane) {
    sum.rx_packets += lane.data_packets.get();
    sum.rx_bytes += lane.data_bytes.get();
  });
}

}  // namespace ipop::engine
