#include "engine/path/wire_batch.hpp"

#include <algorithm>
#include <cstring>

#include "engine/path/data_header.hpp"
#include "engine/path/packet.hpp"
#include "engine/path/relay_header.hpp"
#include "engine/path/transport.hpp"

namespace ipop::engine {
namespace {

// WireGuard paper §5.4.6: plaintext is padded to a multiple of 16, but never beyond the path.
std::uint32_t padded(std::uint32_t length, bool pads, std::uint32_t room) noexcept {
  if (!pads) return length;
  return std::max(length, std::min((length + 15) & ~15u, room));
}

void put_label(rte_mbuf* datagram, const Endpoint& to) noexcept {
  grow_front(datagram, kRelayHeader);
  write_relay_header(data_of(datagram), kMostRelays, to.label);
}

// What stands in front of each datagram to there.
std::uint32_t front_of(const Endpoint& to) noexcept {
  return to.label == 0 ? 0 : kRelayHeader;
}

std::uint32_t datagram_overhead(const Endpoint& to) noexcept {
  return static_cast<std::uint32_t>(front_of(to) + kDataHeader + kTagSize);
}

}  // namespace

void WireBatch::seal(rte_mbuf* plaintext, SendLane& lane, const Endpoint& to, std::uint32_t room,
                     Instant now) noexcept {
  const std::uint64_t counter = lane.counter();
  lane.packets.add(1);
  lane.last.set(now);

  const std::uint32_t length = padded(plaintext->pkt_len, lane.pads, room);
  std::uint8_t* const text = data_of(plaintext);
  if (const std::uint32_t padding = length - plaintext->pkt_len; padding != 0) {
    std::memset(text + plaintext->pkt_len, 0, padding);
  }
  write_data_header(text - kDataHeader, lane.remote, counter);
  plaintext->data_off = static_cast<std::uint16_t>(plaintext->data_off - kDataHeader);
  set_length(plaintext, static_cast<std::uint32_t>(kDataHeader + length + kTagSize));
  if (to.label != 0) [[unlikely]]
    put_label(plaintext, to);
  meta(plaintext).endpoint = to;

  jobs_[job_count_++] = {
      .key = lane.key, .in = text, .out = text, .length = length, .counter = counter};
  add(plaintext, job_count_ % kSealedTogether == 0);
}

void WireBatch::seal_super(rte_mbuf* packet, const SuperPacket& super, SendLane& lane,
                           const Endpoint& to, std::uint32_t room, Instant now) noexcept {
  lane.last.set(now);
  lane.last_data.set(now);
  lane.data_packets.add(super.count());
  lane.data_bytes.add(std::uint64_t{super.count()} * super.headers() + super.total_payload());
  // Where a checksum must be whole, or zeros stand between text and tag, segments are put together
  // in the buffer that leaves and sealed there. Else they are sealed from where the host's bytes
  // lie.
  const Sealing sealing{.source = data_of(packet),
                        .super = super,
                        .lane = lane,
                        .to = to,
                        .room = room,
                        .as_it_is = lane.partial_checksums && super.can_travel_partial()};
  for (std::uint32_t done = 0; done < super.count();) {
    const std::uint32_t sealed =
        trains_ ? seal_train(sealing, done) : seal_one_by_one(sealing, done);
    if (sealed == 0) [[unlikely]] {
      counters_.count(Fate::kDropWireFull, super.count() - done);
      break;
    }
    done += sealed;
  }
  rte_pktmbuf_free(packet);
}

std::uint32_t WireBatch::sealed_length(const Sealing& from, std::uint32_t index) const noexcept {
  return padded(from.super.headers() + from.super.payload(index), from.lane.pads, from.room);
}

// Inline: it is the loop of both below.
inline std::uint32_t WireBatch::lay_out(const Sealing& from, std::uint32_t index,
                                        std::uint32_t length, std::uint32_t slot,
                                        std::uint8_t* at) noexcept {
  const SuperPacket& super = from.super;
  const std::uint32_t front = front_of(from.to);
  const std::uint32_t bare = super.headers() + super.payload(index);
  const std::uint64_t counter = from.lane.counter(slot);
  std::uint8_t* const text = at + front + kDataHeader;
  const std::uint8_t* const payload = from.source + super.payload_start(index);
  if (front != 0) write_relay_header(at, kMostRelays, from.to.label);
  write_data_header(at + front, from.lane.remote, counter);
  AeadJob& job = segment_jobs_[slot];
  job = {.key = from.lane.key, .out = text, .length = length, .counter = counter};
  if (from.as_it_is) {
    std::uint8_t* const headers = segment_headers_[slot].data();
    super.write_headers(index, headers);
    headers[0] |= kPartialBit;
    job.in = payload;
    job.front = headers;
    job.front_length = super.headers();
  } else {
    super.write_headers(index, text);
    std::memcpy(text + super.headers(), payload, super.payload(index));
    complete_checksum({text + super.transport_start(), bare - super.transport_start()},
                      super.checksum_offset());
    std::memset(text + bare, 0, length - bare);
    job.in = text;
  }
  return static_cast<std::uint32_t>(front + kDataHeader + length + kTagSize);
}

bool WireBatch::seal_segments(const Sealing& from, std::uint32_t count) noexcept {
  // Nonces that were taken are spent, whatever comes of it.
  from.lane.packets.add(count);
  const std::span jobs(segment_jobs_.data(), count);
  aead_.seal_burst(jobs);
  return count != 0 && std::ranges::all_of(jobs, &AeadJob::ok);
}

std::uint32_t WireBatch::seal_train(const Sealing& from, std::uint32_t first) noexcept {
  rte_mbuf* const train = rte_pktmbuf_alloc(pools_.supers);
  if (train == nullptr) return 0;
  const std::uint32_t most = std::min<std::uint32_t>(rte_pktmbuf_tailroom(train), kMaxTrainBytes);
  const std::uint32_t around = datagram_overhead(from.to);
  std::uint32_t size = 0;
  std::uint32_t each = 0;
  std::uint32_t count = 0;
  for (; count < kMaxTrain && first + count < from.super.count(); ++count) {
    const std::uint32_t length = sealed_length(from, first + count);
    if (count == 0) each = around + length;
    if (size + around + length > most || around + length > each) break;
    size += lay_out(from, first + count, length, count, data_of(train) + size);
  }
  if (!seal_segments(from, count)) [[unlikely]] {
    rte_pktmbuf_free(train);
    return 0;
  }
  set_length(train, size);
  if (count > 1) train->tso_segsz = static_cast<std::uint16_t>(each);
  meta(train).endpoint = from.to;
  add(train, true);
  return count;
}

std::uint32_t WireBatch::seal_one_by_one(const Sealing& from, std::uint32_t first) noexcept {
  rte_mbuf* datagrams[kBurst];
  const std::uint32_t count = std::min<std::uint32_t>(kBurst, from.super.count() - first);
  if (rte_pktmbuf_alloc_bulk(pools_.packets, datagrams, count) != 0) return 0;
  const std::uint32_t around = datagram_overhead(from.to);
  bool fits = true;
  for (std::uint32_t i = 0; i < count && fits; ++i) {
    const std::uint32_t length = sealed_length(from, first + i);
    fits = around + length <= rte_pktmbuf_tailroom(datagrams[i]);
    if (!fits) break;
    set_length(datagrams[i], lay_out(from, first + i, length, i, data_of(datagrams[i])));
    meta(datagrams[i]).endpoint = from.to;
  }
  if (!fits || !seal_segments(from, count)) [[unlikely]] {
    rte_pktmbuf_free_bulk(datagrams, count);
    return 0;
  }
  for (std::uint32_t i = 0; i < count; ++i)
    add(datagrams[i], true);
  return count;
}

void WireBatch::send(rte_mbuf* datagram) noexcept {
  if (const Endpoint& to = meta(datagram).endpoint; to.label != 0) put_label(datagram, to);
  add(datagram, true);
}

void WireBatch::add(rte_mbuf* packet, bool may_flush) noexcept {
  packets_[packet_count_++] = packet;
  bytes_ += packet->pkt_len;
  if (packet_count_ == kBurst || (bytes_ > kFlushBytes && may_flush)) flush();
}

void WireBatch::drop_unsealed() noexcept {
  std::uint16_t kept = 0;
  std::uint16_t job = 0;
  for (std::uint16_t i = 0; i < packet_count_; ++i) {
    rte_mbuf* const packet = packets_[i];
    // Jobs are in the order of their packets.
    const std::uint8_t* const text =
        data_of(packet) + front_of(meta(packet).endpoint) + kDataHeader;
    const bool has_job = job < job_count_ && jobs_[job].out == text;
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
  std::uint32_t sent = 0;
  std::uint32_t refused = 0;
  port_.tx_burst({packets_.data(), packet_count_}, sent, refused);
  if (sent != 0) counters_.count(Fate::kSent, sent);
  if (refused != 0) counters_.count(Fate::kDropWireFull, refused);
  packet_count_ = 0;
  job_count_ = 0;
  bytes_ = 0;
}

}  // namespace ipop::engine
