#include "engine/path/relay.hpp"

#include <algorithm>
#include <cstring>

#include "engine/path/packet.hpp"
#include "engine/path/relay_header.hpp"

namespace ipop::engine {

void Relay::begin_burst(Instant now) noexcept {
  limit_ = table_.relay_budget.limit();
  if (limit_ != 0) [[unlikely]]
    table_.relay_budget.fill(limit_, now);
}

inline bool Relay::allowed(std::uint32_t bytes) noexcept {
  return limit_ == 0 || table_.relay_budget.take(bytes);
}

inline bool Relay::extend(const Endpoint* to, const std::uint8_t* at,
                          std::uint32_t length) noexcept {
  // Only the last of a train may be shorter.
  const bool joins = run_.to == to && at == run_.at + run_.size && length <= run_.each &&
                     run_.size % run_.each == 0;
  if (joins) run_.size += length;
  return joins;
}

const Endpoint* Relay::take(std::uint8_t* at, std::uint32_t length, const Endpoint& source,
                            Instant now) noexcept {
  const RelayLabel label = relay_label(at);
  const LabelView* const view = table_.labels.find(label);
  if (view == nullptr) [[unlikely]] {
    counters_.count(Fate::kDropRelayUnknown);
    return nullptr;
  }
  if (view->from != source) [[unlikely]] {
    counters_.count(Fate::kDropRelayRefused);
    return nullptr;
  }
  const std::uint8_t relays = std::min(relays_left(at), kMostRelays);
  const bool goes_on = !view->ends_here;
  if (goes_on && relays == 0) [[unlikely]] {
    counters_.count(Fate::kDropRelayLoop);
    return nullptr;
  }
  if (goes_on && view->to.port == 0) [[unlikely]] {
    counters_.count(Fate::kDropNoPath);
    return nullptr;
  }
  if (goes_on && !allowed(length)) [[unlikely]] {
    counters_.count(Fate::kDropRelayLimited);
    return nullptr;
  }
  LabelUse& use = table_.labels.use(label, lcore_);
  use.packets.add(1);
  use.bytes.add(length - kRelayHeader);
  use.last.set(now);
  if (!goes_on) return &view->to;
  write_relay_header(at, static_cast<std::uint8_t>(relays - 1), view->to.label);
  if (run_.to == nullptr || !extend(&view->to, at, length)) {
    copy_run();
    run_ = {.to = &view->to, .at = at, .size = length, .each = length};
  }
  return nullptr;
}

bool Relay::close(rte_mbuf* buffer) noexcept {
  if (run_.at != data_of(buffer) || run_.size != buffer->pkt_len) {
    copy_run();
    return false;
  }
  add(buffer, *run_.to);
  run_ = {};
  return true;
}

// What shares its buffer with something else.
void Relay::copy_run() noexcept {
  if (run_.to == nullptr) return;
  const std::uint32_t count = (run_.size + run_.each - 1) / run_.each;
  rte_mbuf* const copy = rte_pktmbuf_alloc(count == 1 ? pools_.packets : pools_.supers);
  if (copy == nullptr || run_.size > rte_pktmbuf_tailroom(copy)) [[unlikely]] {
    rte_pktmbuf_free(copy);
    counters_.count(Fate::kDropWireFull, count);
  } else {
    std::memcpy(data_of(copy), run_.at, run_.size);
    set_length(copy, run_.size);
    if (count > 1) copy->tso_segsz = static_cast<std::uint16_t>(run_.each);
    add(copy, *run_.to);
  }
  run_ = {};
}

void Relay::add(rte_mbuf* packet, const Endpoint& to) noexcept {
  meta(packet).endpoint = to;
  packets_[count_++] = packet;
  if (count_ == kBurst) flush();
}

void Relay::flush() noexcept {
  if (count_ == 0) return;
  std::uint32_t sent = 0;
  std::uint32_t refused = 0;
  port_.tx_burst({packets_.data(), count_}, sent, refused);
  if (sent != 0) counters_.count(Fate::kRelayed, sent);
  if (refused != 0) counters_.count(Fate::kDropWireFull, refused);
  count_ = 0;
}

}  // namespace ipop::engine
