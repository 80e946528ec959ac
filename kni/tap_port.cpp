#include "kni/tap_port.hpp"

#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "base/error.hpp"
#include "kni/derived_mac.hpp"
#include "kni/offload_marks.hpp"
#include "kni/vnet_header.hpp"

namespace ipop::kni {
namespace {

constexpr std::size_t kEthernetSize = 14;
constexpr std::size_t kMaxPieces = 64;
// After so much the frames are worked on while they are in the cache.
constexpr std::size_t kReadBytes = 64 * 1024;

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

TapPort::TapPort(int fd, const MacAddress& mac, std::vector<IpAddress> own,
                 engine::HostOffloads offloads)
    : fd_(fd),
      mac_(mac),
      responder_(std::move(own)),
      offloads_(offloads),
      quiet_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!quiet_) throw std::runtime_error(fail_errno("tap: eventfd", errno).error().message);
}

std::uint16_t TapPort::rx_burst(const engine::PacketPools& pools,
                                std::span<rte_mbuf*> into) noexcept {
  if (gone()) return 0;
  const std::size_t limit = std::min<std::size_t>(into.size(), engine::kBurst);
  const bool may_be_long = pools.supers != pools.packets;
  std::uint16_t filled = 0;
  std::size_t bytes = 0;
  rte_mbuf* frame = nullptr;
  rte_mbuf* super = nullptr;
  // Bounded by frames read, not by frames kept, so that a storm of questions ends too.
  for (std::size_t reads = 0; reads < limit && bytes < kReadBytes; ++reads) {
    if (frame == nullptr) frame = rte_pktmbuf_alloc(pools.packets);
    if (super == nullptr && may_be_long) super = rte_pktmbuf_alloc(pools.supers);
    if (frame == nullptr || (super == nullptr && may_be_long)) {
      count(kNoBuffer);
      break;
    }
    rte_mbuf* read = nullptr;
    const Read outcome = read_frame(frame, super, read);
    if (outcome == Read::kNothing) break;
    if (outcome == Read::kConsumed) continue;
    into[filled++] = read;
    bytes += read->pkt_len;
    (read == frame ? frame : super) = nullptr;
  }
  rte_pktmbuf_free(frame);
  rte_pktmbuf_free(super);
  return filled;
}

TapPort::Read TapPort::read_frame(rte_mbuf* frame, rte_mbuf* super, rte_mbuf*& into) noexcept {
  VnetHeaderBytes header;
  // The kernel cuts a frame off silently; a byte in here tells that it did.
  std::uint8_t excess;
  std::uint8_t* const data = rte_pktmbuf_mtod(frame, std::uint8_t*);
  const std::size_t room = rte_pktmbuf_tailroom(frame);
  // Most frames are short and stay where they are. The rest of a long one goes where it belongs,
  // behind a gap for its beginning.
  std::uint8_t* const long_data =
      super == nullptr ? nullptr : rte_pktmbuf_mtod(super, std::uint8_t*);
  const std::size_t long_room = super == nullptr ? 0 : rte_pktmbuf_tailroom(super) - room;
  const std::array<iovec, 4> parts{{{header.data(), header.size()},
                                    {data, room},
                                    {long_data == nullptr ? nullptr : long_data + room, long_room},
                                    {&excess, 1}}};
  const ssize_t got = ::readv(fd_, parts.data(), parts.size());
  if (got < 0) {
    note_error(errno);
    return Read::kNothing;
  }
  const auto total = static_cast<std::size_t>(got);
  if (total > header.size() + room + long_room) {
    count(kTooLong);
    return Read::kConsumed;
  }
  if (total < header.size() + kEthernetSize) {
    count(kMalformed);
    return Read::kConsumed;
  }
  const std::size_t size = total - header.size();
  into = frame;
  if (size > room) {
    std::memcpy(long_data, data, room);
    into = super;
  }
  into->data_len = static_cast<std::uint16_t>(size);
  into->pkt_len = into->data_len;
  if (!accept_header(VnetHeader::read(header), into)) {
    count(kMalformed);
    return Read::kConsumed;
  }
  if (answer_neighbour({rte_pktmbuf_mtod(into, std::uint8_t*), size})) return Read::kConsumed;
  return Read::kFrame;
}

bool TapPort::accept_header(const VnetHeader& header, rte_mbuf* frame) noexcept {
  frame->ol_flags = 0;
  frame->tx_offload = 0;
  const Marking marking = mark_offloads(header, frame);
  if (marking == Marking::kCompleted) count(kCompleted);
  return marking != Marking::kMalformed;
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

engine::HostWritten TapPort::tx_burst(std::span<const engine::HostFrame> frames) noexcept {
  engine::HostWritten written;
  bool room = !gone();
  for (const engine::HostFrame& frame : frames) {
    const Write outcome = room ? write_frame(frame) : Write::kNoRoom;
    (outcome == Write::kWritten ? written.delivered : written.refused) += frame.packets;
    room = outcome != Write::kNoRoom;
  }
  return written;
}

TapPort::Write TapPort::write_frame(const engine::HostFrame& frame) noexcept {
  write_ethernet(frame.first.at, frame.source);
  VnetHeaderBytes header = header_for(frame).bytes();
  std::array<iovec, 1 + kMaxPieces> parts;
  parts[0] = {header.data(), header.size()};
  int used = 1;
  for (const engine::Piece* piece = &frame.first; piece != nullptr; piece = piece->next) {
    if (static_cast<std::size_t>(used) == parts.size()) {
      note_error(EMSGSIZE);
      return Write::kRefused;
    }
    parts[used++] = {piece->at, piece->length};
  }
  if (::writev(fd_, parts.data(), used) >= 0) return Write::kWritten;
  const int number = errno;
  note_error(number);
  return is_passing(number) || gone() ? Write::kNoRoom : Write::kRefused;
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
  derived_mac(from).write_to(header + 6);
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
