// Super-packets on a wire that takes no trains: single datagrams, the same byte for byte as those
// of a train.
#include <gtest/gtest.h>

#include "engine/engine.hpp"
#include "engine/path/data_header.hpp"
#include "engine/path/packet.hpp"
#include "engine/path/relay_header.hpp"
#include "engine/path/transport.hpp"
#include "engine/path/wire_batch.hpp"
#include "tests/unit/engine/transport_packets.hpp"

namespace ipop::engine {
namespace {

// Keeps what it is given to send.
class KeepingPort final : public WirePort {
 public:
  explicit KeepingPort(bool takes_trains) : takes_trains_(takes_trains) {}
  ~KeepingPort() override { clear(); }
  KeepingPort(const KeepingPort&) = delete;
  KeepingPort& operator=(const KeepingPort&) = delete;

  std::uint16_t rx_burst(const PacketPools&, std::span<rte_mbuf*>) noexcept override { return 0; }
  void tx_burst(std::span<rte_mbuf*> datagrams, std::uint32_t& sent,
                std::uint32_t& refused) noexcept override {
    sent = refused = 0;
    for (rte_mbuf* const datagram : datagrams) {
      sent += packet_count(datagram);
      kept_.push_back(datagram);
    }
  }
  [[nodiscard]] bool takes_trains() const noexcept override { return takes_trains_; }
  std::size_t wait_fds(std::span<int, kMaxWaitFds>) const noexcept override { return 0; }

  [[nodiscard]] std::size_t buffers() const { return kept_.size(); }
  // Trains are cut.
  [[nodiscard]] std::vector<Bytes> datagrams() const {
    std::vector<Bytes> found;
    for (rte_mbuf* const each : kept_) {
      const MutableBytes bytes = bytes_of(each);
      const std::size_t size = each->tso_segsz == 0 ? bytes.size() : each->tso_segsz;
      for (std::size_t at = 0; at < bytes.size(); at += size) {
        const MutableBytes one = bytes.subspan(at, std::min(size, bytes.size() - at));
        found.emplace_back(one.begin(), one.end());
      }
    }
    return found;
  }
  [[nodiscard]] bool all_go_to(const Endpoint& to) const {
    return std::ranges::all_of(kept_, [&](rte_mbuf* each) { return meta(each).endpoint == to; });
  }
  void clear() {
    for (rte_mbuf* const each : kept_)
      rte_pktmbuf_free(each);
    kept_.clear();
  }

 private:
  const bool takes_trains_;
  std::vector<rte_mbuf*> kept_;
};

// Refuses one job, the `which`th.
class OnceFailingAead final : public AeadEngine {
 public:
  explicit OnceFailingAead(unsigned which) : left_(which) {}
  void expand(AeadSuite, const Secret<32>&, AeadKey&) const override {}
  void seal_burst(std::span<AeadJob> jobs) noexcept override {
    for (AeadJob& job : jobs)
      job.ok = left_-- != 0;
  }
  void open_burst(std::span<AeadJob>) noexcept override {}
  [[nodiscard]] std::string_view name() const noexcept override { return "once failing"; }
  [[nodiscard]] std::uint8_t suites() const noexcept override { return 0; }

 private:
  unsigned left_;
};

constexpr std::uint32_t kRoom = 1400;
const Instant kNow{std::chrono::hours(1)};
const Endpoint kPeer = endpoint("192.0.2.2:4545");

Endpoint with_label(Endpoint to, std::uint32_t label) {
  to.label = label;
  return to;
}

struct Case {
  const char* description;
  PacketSpec spec;
  std::uint16_t each = 0;  // payload of a segment
  bool partial_checksums = false;
  bool pads = false;
  Endpoint to = kPeer;
};

// One end of a session with the pools it sends from.
struct Sender {
  explicit Sender(bool takes_trains, std::uint32_t buffers = 1023)
      : packets({.packets = buffers}),
        supers({.packets = 31, .largest_packet = kSuperPool.largest_packet}),
        wire(takes_trains) {}

  void send(const PacketSpec& spec, std::uint16_t each, const Endpoint& to,
            AeadEngine* other = nullptr) {
    WireBatch batch(wire, other == nullptr ? *aead : *other, {packets.get(), supers.get()},
                    counters);
    const Bytes bytes = build(spec);
    rte_mbuf* const packet = rte_pktmbuf_alloc(supers.get());
    std::ranges::copy(bytes, data_of(packet));
    set_length(packet, static_cast<std::uint32_t>(bytes.size()));
    packet->l3_len = spec.transport_start() & 0x1ff;
    packet->l4_len = spec.transport_header() & 0xff;
    packet->tso_segsz = each;
    packet->ol_flags = spec.is_tcp ? RTE_MBUF_F_TX_TCP_SEG : RTE_MBUF_F_TX_UDP_SEG;
    const auto super = SuperPacket::of(packet, *parse_inner(bytes_of(packet)));
    ASSERT_TRUE(super);
    batch.seal_super(packet, *super, session.sent, to, kRoom, kNow);
    batch.flush();
  }
  [[nodiscard]] std::uint64_t count(Fate fate) const {
    return counters.fates[static_cast<std::size_t>(fate)].get();
  }
  void expect_no_leak() {
    wire.clear();
    EXPECT_EQ(packets.available(), packets.size());
    EXPECT_EQ(supers.available(), supers.size());
  }

  Mempool packets;
  Mempool supers;
  std::unique_ptr<AeadEngine> aead = make_aead_engine();
  KeepingPort wire;
  LcoreCounters counters;
  Session session;
};

class WireBatchSingles : public testing::Test {
 protected:
  WireBatchSingles() { start_eal_for({}); }
};

PacketSpec tcp4(std::size_t payload) {
  std::mt19937_64 random(payload);
  return {.flags = tcp::kAck | tcp::kPsh,
          .payload = random_payload(random, payload),
          .checksum = Checksum::kPartial};
}

PacketSpec udp6(std::size_t payload) {
  PacketSpec spec = tcp4(payload);
  spec.is_tcp = false;
  spec.from = ip("fd00::1");
  spec.to = ip("fd00::2");
  return spec;
}

void prepare(Sender& sender, const Case& test) {
  sender.session.sent.remote = 0x11223344;
  sender.session.sent.partial_checksums = test.partial_checksums;
  sender.session.sent.pads = test.pads;
  Secret<32> key;
  std::ranges::fill(key.bytes(), std::uint8_t{7});
  sender.aead->expand(AeadSuite::kChaCha20Poly1305, key, sender.session.send_key);
}

// The inner packets of what was sent with counters 0, 1, 2 and so on; empty if one does not open.
std::vector<Bytes> opened(Sender& sender, const Case& test) {
  std::vector<Bytes> inner;
  for (Bytes datagram : sender.wire.datagrams()) {
    std::uint8_t* const at = datagram.data() + (test.to.label == 0 ? 0 : kRelayHeader);
    if (test.to.label != 0) {
      EXPECT_EQ(relay_label(datagram.data()), RelayLabel{test.to.label});
    }
    EXPECT_EQ(data_receiver(at), ReceiverIndex{0x11223344});
    EXPECT_EQ(data_counter(at), inner.size());
    const auto around = static_cast<std::size_t>(at - datagram.data()) + kDataHeader + kTagSize;
    Bytes text(datagram.size() - around);
    AeadJob job{.key = &sender.session.send_key,
                .in = at + kDataHeader,
                .out = text.data(),
                .length = static_cast<std::uint32_t>(text.size()),
                .counter = inner.size()};
    sender.aead->open_burst({&job, 1});
    EXPECT_TRUE(job.ok) << inner.size();
    if (test.partial_checksums) {
      EXPECT_EQ(text[0] & kPartialBit, kPartialBit);
      text[0] &= static_cast<std::uint8_t>(~kPartialBit);
      text = with_whole_checksum(text, test.spec.transport_start(), test.spec.is_tcp);
    }
    if (test.pads) {
      EXPECT_TRUE(text.size() % 16 == 0 || text.size() == kRoom) << text.size();
      const std::size_t length = text[0] >> 4 == 4 ? load_be<std::uint16_t>(&text[2])
                                                   : 40 + load_be<std::uint16_t>(&text[4]);
      text.resize(length);
    }
    inner.push_back(std::move(text));
  }
  return inner;
}

TEST_F(WireBatchSingles, AreTheDatagramsOfATrain) {
  const Endpoint relay = with_label(kPeer, 0x01020304);
  const Case cases[] = {
      {"TCP", tcp4(20'000), 1300},
      {"TCP with partial checksums", tcp4(20'000), 1300, true},
      {"more than a burst", tcp4(60'000), 1000},
      {"more than a burst, partial", tcp4(60'000), 1000, true},
      {"a whole burst", tcp4(32 * 500), 500},
      {"one more than a burst", tcp4(32 * 500 + 1), 500, true},
      {"one", tcp4(500), 500},
      {"tiny segments", tcp4(1000), 3, true},
      {"UDP of IPv6", udp6(30'000), 1200},
      {"UDP of IPv6 with partial checksums", udp6(30'000), 1200, true},
      {"padded", tcp4(20'000), 1301, false, true},
      {"padded up to the path", tcp4(20'000), kRoom - 40, false, true},
      {"by a relay", tcp4(20'000), 1300, false, false, relay},
      {"by a relay, partial", udp6(60'000), 1000, true, false, relay},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.description);
    Sender trains(true);
    Sender singles(false);
    for (Sender* const sender : {&trains, &singles}) {
      prepare(*sender, test);
      sender->send(test.spec, test.each, test.to);
      EXPECT_TRUE(sender->wire.all_go_to(test.to));
    }
    const auto expected =
        cut_super(build(test.spec), test.spec.transport_start(), test.spec.is_tcp, test.each);
    EXPECT_EQ(singles.wire.buffers(), expected.size());
    EXPECT_TRUE(singles.wire.datagrams() == trains.wire.datagrams());
    EXPECT_TRUE(opened(singles, test) == expected);
    EXPECT_EQ(singles.count(Fate::kSent), expected.size());
    EXPECT_EQ(singles.session.sent.packets.get(), expected.size());
    EXPECT_EQ(singles.session.sent.data_packets.get(), expected.size());
    EXPECT_EQ(singles.session.sent.data_bytes.get(), trains.session.sent.data_bytes.get());
    singles.expect_no_leak();
    trains.expect_no_leak();
  }
}

TEST_F(WireBatchSingles, GoOnWithTheNextNonce) {
  const Case test{"two in a row", tcp4(5000), 1000};
  Sender sender(false);
  prepare(sender, test);
  sender.send(test.spec, test.each, test.to);
  sender.send(test.spec, test.each, test.to);
  EXPECT_EQ(opened(sender, test).size(), 10u);
  sender.expect_no_leak();
}

TEST_F(WireBatchSingles, AreCountedWhenThereAreNoBuffers) {
  const Case test{"", tcp4(45'000), 1000};
  for (const bool partial : {false, true}) {
    Sender sender(false, 127);
    prepare(sender, test);
    sender.session.sent.partial_checksums = partial;
    std::vector<rte_mbuf*> hoard(127);
    ASSERT_EQ(rte_pktmbuf_alloc_bulk(sender.packets.get(), hoard.data(), 127), 0);
    sender.send(test.spec, test.each, test.to);
    EXPECT_EQ(sender.wire.buffers(), 0u);
    EXPECT_EQ(sender.count(Fate::kDropWireFull), 45u);
    EXPECT_EQ(sender.session.sent.packets.get(), 0u);

    // Enough for the first burst, which goes, and not for the second.
    rte_pktmbuf_free_bulk(&hoard[87], 40);
    sender.send(test.spec, test.each, test.to);
    EXPECT_EQ(sender.wire.buffers(), 32u);
    EXPECT_EQ(sender.count(Fate::kSent), 32u);
    EXPECT_EQ(sender.count(Fate::kDropWireFull), 45u + 13);
    EXPECT_EQ(sender.session.sent.packets.get(), 32u);
    rte_pktmbuf_free_bulk(hoard.data(), 87);
    sender.expect_no_leak();
  }
}

TEST_F(WireBatchSingles, AreCountedWhenABufferIsTooSmall) {
  const Case test{"", tcp4(10'000), 4000};
  Sender sender(false);
  prepare(sender, test);
  sender.send(test.spec, test.each, test.to);
  EXPECT_EQ(sender.wire.buffers(), 0u);
  EXPECT_EQ(sender.count(Fate::kDropWireFull), 3u);
  EXPECT_EQ(sender.session.sent.packets.get(), 0u);
  sender.expect_no_leak();
}

TEST_F(WireBatchSingles, NeverGoAsPlaintext) {
  const Case test{"", tcp4(45'000), 1000};
  for (const bool partial : {false, true}) {
    OnceFailingAead aead(40);
    Sender sender(false);
    prepare(sender, test);
    sender.session.sent.partial_checksums = partial;
    sender.send(test.spec, test.each, test.to, &aead);
    EXPECT_EQ(sender.wire.buffers(), 32u);
    EXPECT_EQ(sender.count(Fate::kDropWireFull), 13u);
    // Those of the second burst are spent.
    EXPECT_EQ(sender.session.sent.packets.get(), 45u);
    sender.expect_no_leak();
  }
}

}  // namespace
}  // namespace ipop::engine
