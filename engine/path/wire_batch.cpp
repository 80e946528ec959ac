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

}  // namespace

void WireBatch::seal(rte_mbuf* plaintext, Session& session, const Endpoint& to, std::uint32_t room,
                     Instant now) noexcept {
  const std::uint64_t counter = session.sent.packets.get();
  session.sent.packets.set(counter + 1);
  session.sent.last.set(now);

  const std::uint32_t length = padded(plaintext->pkt_len, session.sent.pads, room);
  std::uint8_t* const text = data_of(plaintext);
  if (const std::uint32_t padding = length - plaintext->pkt_len; padding != 0) {
    std::memset(text + plaintext->pkt_len, 0, padding);
  }
  write_data_header(text - kDataHeader, session.sent.remote, counter);
  plaintext->data_off = static_cast<std::uint16_t>(plaintext->data_off - kDataHeader);
  set_length(plaintext, static_cast<std::uint32_t>(kDataHeader + length + kTagSize));
  if (to.label != 0) [[unlikely]]
    put_label(plaintext, to);
  meta(plaintext).endpoint = to;

  jobs_[job_count_++] = {
      .key = &session.send_key, .in = text, .out = text, .length = length, .counter = counter};
  add(plaintext, job_count_ % kSealedTogether == 0);
}

void WireBatch::seal_super(rte_mbuf* packet, const SuperPacket& super, Session& session,
                           const Endpoint& to, std::uint32_t room, Instant now) noexcept {
  session.sent.last.set(now);
  session.sent.last_data.set(now);
  session.sent.data_packets.add(super.count());
  session.sent.data_bytes.add(std::uint64_t{super.count()} * super.headers() +
                              super.total_payload());
  for (std::uint32_t done = 0; done < super.count();) {
    const std::uint32_t sealed = seal_train(packet, super, done, session, to, room);
    if (sealed == 0) [[unlikely]] {
      counters_.count(Fate::kDropWireFull, super.count() - done);
      break;
    }
    done += sealed;
  }
  rte_pktmbuf_free(packet);
}

std::uint32_t WireBatch::seal_train(rte_mbuf* packet, const SuperPacket& super, std::uint32_t first,
                                    Session& session, const Endpoint& to,
                                    std::uint32_t room) noexcept {
  rte_mbuf* const train = rte_pktmbuf_alloc(pools_.supers);
  if (train == nullptr) return 0;
  const std::uint32_t most = std::min<std::uint32_t>(rte_pktmbuf_tailroom(train), kMaxTrainBytes);
  // Where a checksum must be whole, or zeros stand between text and tag, segments are put together
  // in the train and sealed there. Else they are sealed from where the host's bytes lie.
  const bool as_it_is = session.sent.partial_checksums && super.can_travel_partial();
  const std::uint32_t front = front_of(to);
  std::uint8_t* const source = data_of(packet);
  std::uint8_t* at = data_of(train);
  std::uint32_t size = 0;
  std::uint32_t each = 0;
  std::uint32_t count = 0;
  std::uint64_t counter = session.sent.packets.get();
  for (; count < kMaxTrain && first + count < super.count(); ++count) {
    const std::uint32_t index = first + count;
    const std::uint32_t bare = super.headers() + super.payload(index);
    const std::uint32_t length = padded(bare, session.sent.pads, room);
    const auto datagram = static_cast<std::uint32_t>(front + kDataHeader + length + kTagSize);
    if (count == 0) each = datagram;
    if (size + datagram > most || datagram > each) break;
    std::uint8_t* const text = at + front + kDataHeader;
    const std::uint8_t* const payload = source + super.payload_start(index);
    if (front != 0) write_relay_header(at, kMostRelays, to.label);
    write_data_header(at + front, session.sent.remote, counter);
    AeadJob& job = train_jobs_[count];
    job = {.key = &session.send_key, .out = text, .length = length, .counter = counter++};
    if (as_it_is) {
      std::uint8_t* const headers = train_headers_[count].data();
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
    at += datagram;
    size += datagram;
  }
  session.sent.packets.set(counter);
  const std::span jobs(train_jobs_.data(), count);
  aead_.seal_burst(jobs);
  if (count == 0 || !std::ranges::all_of(jobs, &AeadJob::ok)) [[unlikely]] {
    rte_pktmbuf_free(train);
    return 0;
  }
  set_length(train, size);
  if (count > 1) train->tso_segsz = static_cast<std::uint16_t>(each);
  meta(train).endpoint = to;
  add(train, true);
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
