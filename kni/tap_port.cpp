#include "kni/tap_port.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "base/error.hpp"
#include "kni/checksum.hpp"
#include "kni/vnet_header.hpp"

namespace ipop::kni {
namespace {

constexpr std::size_t kEthernetSize = 14;
constexpr std::size_t kMaxSegments = 16;

// Not a super-packet, checksums complete.
constexpr VnetHeaderBytes kPlainHeader{};

// writev only reads, whatever its type says.
iovec plain_header() {
  return {const_cast<std::uint8_t*>(kPlainHeader.data()), kPlainHeader.size()};
}

// The queue is full, or empty, or memory is short: try again later.
bool is_passing(int number) {
  return number == EAGAIN || number == EINTR || number == ENOBUFS || number == ENOMEM;
}

}  // namespace

TapPort::TapPort(int fd, const MacAddress& mac, std::vector<IpAddress> own)
    : fd_(fd),
      mac_(mac),
      responder_(std::move(own)),
      quiet_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!quiet_) throw std::runtime_error(fail_errno("tap: eventfd", errno).error().message);
}

std::uint16_t TapPort::rx_burst(rte_mempool* pool, std::span<rte_mbuf*> into) noexcept {
  if (gone()) return 0;
  const std::size_t limit = std::min<std::size_t>(into.size(), engine::kBurst);
  std::uint16_t filled = 0;
  rte_mbuf* frame = nullptr;
  // Bounded by frames read, not by frames kept, so that a storm of questions ends too.
  for (std::size_t reads = 0; reads < limit; ++reads) {
    if (frame == nullptr) frame = rte_pktmbuf_alloc(pool);
    if (frame == nullptr) {
      count(kNoBuffer);
      break;
    }
    const Read outcome = read_frame(frame);
    if (outcome == Read::kNothing) break;
    if (outcome == Read::kConsumed) continue;
    into[filled++] = frame;
    frame = nullptr;
  }
  rte_pktmbuf_free(frame);
  return filled;
}

TapPort::Read TapPort::read_frame(rte_mbuf* frame) noexcept {
  VnetHeaderBytes header;
  // The kernel cuts a frame off silently; a byte in here tells that it did.
  std::uint8_t excess;
  std::uint8_t* const data = rte_pktmbuf_mtod(frame, std::uint8_t*);
  const std::size_t room = rte_pktmbuf_tailroom(frame);
  const std::array<iovec, 3> parts{{{header.data(), header.size()}, {data, room}, {&excess, 1}}};
  const ssize_t got = ::readv(fd_, parts.data(), parts.size());
  if (got < 0) {
    note_error(errno);
    return Read::kNothing;
  }
  const auto size = static_cast<std::size_t>(got);
  if (size > header.size() + room) {
    count(kTooLong);
    return Read::kConsumed;
  }
  if (size < header.size() + kEthernetSize) {
    count(kMalformed);
    return Read::kConsumed;
  }
  const MutableBytes bytes(data, size - header.size());
  if (!accept_header(VnetHeader::read(header), bytes)) {
    count(kMalformed);
    return Read::kConsumed;
  }
  if (answer_neighbour(bytes)) return Read::kConsumed;
  frame->data_len = static_cast<std::uint16_t>(bytes.size());
  frame->pkt_len = frame->data_len;
  return Read::kFrame;
}

// No offload was asked for, so a super-packet cannot come; a partial checksum is made whole.
bool TapPort::accept_header(const VnetHeader& header, MutableBytes frame) noexcept {
  if (header.gso_type != VnetHeader::kNotSegmented) return false;
  if ((header.flags & VnetHeader::kNeedsChecksum) == 0) return true;
  if (!complete_checksum(frame, header.checksum_start, header.checksum_offset)) return false;
  count(kCompleted);
  return true;
}

// True if the frame was about neighbours, whatever came of it.
bool TapPort::answer_neighbour(ByteView frame) noexcept {
  std::array<std::uint8_t, NeighbourResponder::kMaxReply> reply;
  const NeighbourAnswer answer = responder_.answer(frame, reply);
  switch (answer.frame) {
    case NeighbourFrame::kOther:
      return false;
    case NeighbourFrame::kIgnored:
      count(kIgnored);
      return true;
    case NeighbourFrame::kMalformed:
      count(kMalformedNeighbour);
      return true;
    case NeighbourFrame::kAnswered:
      break;
  }
  const std::array<iovec, 2> parts{{plain_header(), {reply.data(), answer.size}}};
  if (::writev(fd_, parts.data(), parts.size()) < 0) {
    note_error(errno);  // the host asks again
  } else {
    count(kAnswered);
  }
  return true;
}

std::uint16_t TapPort::tx_burst(std::span<rte_mbuf*> frames) noexcept {
  if (gone()) return 0;
  std::uint16_t taken = 0;
  while (taken < frames.size() && write_frame(frames[taken]))
    ++taken;
  if (taken > 0) rte_pktmbuf_free_bulk(frames.data(), taken);
  return taken;
}

bool TapPort::write_frame(const rte_mbuf* frame) noexcept {
  std::array<iovec, 1 + kMaxSegments> parts;
  parts[0] = plain_header();
  int used = 1;
  for (const rte_mbuf* part = frame; part != nullptr; part = part->next) {
    if (static_cast<std::size_t>(used) == parts.size()) {
      note_error(EMSGSIZE);
      return false;
    }
    parts[used++] = {rte_pktmbuf_mtod(part, void*), part->data_len};
  }
  if (::writev(fd_, parts.data(), used) >= 0) return true;
  note_error(errno);
  return false;
}

// EIO is an interface that is down: it may come up again. EBADFD is one that was deleted, and its
// descriptor is "ready" for ever; another file takes its number, so that nobody who waits for it
// spins. The number itself stays its owner's.
void TapPort::note_error(int number) noexcept {
  if (is_passing(number)) return;
  count(kErrors);
  if (number != EBADFD) return;
  ::dup3(quiet_.get(), fd_, O_CLOEXEC);
  gone_.store(true, std::memory_order_relaxed);
}

std::size_t TapPort::wait_fds(std::span<int, engine::kMaxWaitFds> into) const noexcept {
  if (gone()) return 0;
  into[0] = fd_;
  return 1;
}

void TapPort::write_ethernet(std::uint8_t* header, const IpAddress& from) const noexcept {
  mac_.write_to(header);
  MacAddress::derived_from(from).write_to(header + 6);
  store_be<std::uint16_t>(header + 12, from.is_v4() ? 0x0800 : 0x86dd);
}

// The lcore is the only writer, so a load and a store do.
void TapPort::count(Counter counter) noexcept {
  std::atomic<std::uint64_t>& cell = counts_[counter];
  cell.store(cell.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

std::uint64_t TapPort::neighbour_answered() const noexcept {
  return counts_[kAnswered].load(std::memory_order_relaxed);
}

TapCounters TapPort::counters() const noexcept {
  const auto read = [this](Counter counter) {
    return counts_[counter].load(std::memory_order_relaxed);
  };
  return {
      .neighbour_answered = read(kAnswered),
      .neighbour_ignored = read(kIgnored),
      .neighbour_malformed = read(kMalformedNeighbour),
      .rx_malformed = read(kMalformed),
      .rx_too_long = read(kTooLong),
      .rx_no_buffer = read(kNoBuffer),
      .checksums_completed = read(kCompleted),
      .errors = read(kErrors),
  };
}

}  // namespace ipop::kni
