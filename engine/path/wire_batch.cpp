#include "engine/path/wire_batch.hpp"

#include <algorithm>
#include <cstring>

#include "engine/path/data_header.hpp"
#include "engine/path/packet.hpp"

namespace ipop::engine {
namespace {

// WireGuard paper §5.4.6: plaintext is padded to a multiple of 16, but never beyond the path.
std::uint32_t padded(std::uint32_t length, SessionForm form, std::uint32_t room) noexcept {
  if (form == SessionForm::kIpop) return length;
  return std::max(length, std::min((length + 15) & ~15u, room));
}

}  // namespace

void WireBatch::seal(rte_mbuf* plaintext, Session& session, const Endpoint& to, std::uint32_t room,
                     Instant now) noexcept {
  const std::uint64_t counter = session.sent.packets.get();
  session.sent.packets.set(counter + 1);
  session.sent.last.set(now);

  const std::uint32_t length = padded(plaintext->pkt_len, session.form, room);
  std::uint8_t* const text = data_of(plaintext);
  if (const std::uint32_t padding = length - plaintext->pkt_len; padding != 0) {
    std::memset(text + plaintext->pkt_len, 0, padding);
  }
  write_data_header(text - kDataHeader, session.remote, counter);
  plaintext->data_off = static_cast<std::uint16_t>(plaintext->data_off - kDataHeader);
  set_length(plaintext, static_cast<std::uint32_t>(kDataHeader + length + kTagSize));
  meta(plaintext).endpoint = to;

  jobs_[job_count_++] = {
      .key = &session.send_key, .in = text, .out = text, .length = length, .counter = counter};
  add(plaintext);
}

void WireBatch::send(rte_mbuf* datagram) noexcept {
  add(datagram);
}

void WireBatch::add(rte_mbuf* packet) noexcept {
  packets_[packet_count_++] = packet;
  if (packet_count_ == kBurst) flush();
}

void WireBatch::drop_unsealed() noexcept {
  std::uint16_t kept = 0;
  std::uint16_t job = 0;
  for (std::uint16_t i = 0; i < packet_count_; ++i) {
    rte_mbuf* const packet = packets_[i];
    // Jobs are in the order of their packets.
    const bool has_job = job < job_count_ && jobs_[job].out == data_of(packet) + kDataHeader;
    if (has_job && !jobs_[job++].ok) {
      counters_.drop(packet, Fate::kDropWireFull);
    } else {
      packets_[kept++] = packet;
    }
  }
  packet_count_ = kept;
}

void WireBatch::flush() noexcept {
  if (packet_count_ == 0) return;
  if (const std::span jobs(jobs_.data(), job_count_); !jobs.empty()) {
    aead_.seal_burst(jobs);
    if (!std::ranges::all_of(jobs, &AeadJob::ok)) [[unlikely]]
      drop_unsealed();
  }
  std::uint16_t sent = 0;
  std::uint16_t refused = 0;
  port_.tx_burst({packets_.data(), packet_count_}, sent, refused);
  if (sent != 0) counters_.count(Fate::kSent, sent);
  if (refused != 0) counters_.count(Fate::kDropWireFull, refused);
  packet_count_ = 0;
  job_count_ = 0;
}

}  // namespace ipop::engine
