#include "engine/port/udp_messages.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "engine/path/packet.hpp"

namespace ipop::engine {
namespace {

constexpr std::size_t kMaxBytes = 65535 - 20 - 8;  // of one message, over IPv4

}  // namespace

TrainSupport ask_for_trains(const Fd& socket) noexcept {
  // A size for the whole socket is not wanted; that zero is taken tells that the kernel knows it.
  const int none = 0;
  const int on = 1;
  return {.send = setsockopt(socket.get(), IPPROTO_UDP, UDP_SEGMENT, &none, sizeof none) == 0,
          .receive = setsockopt(socket.get(), IPPROTO_UDP, UDP_GRO, &on, sizeof on) == 0};
}

std::uint16_t segment_size_of(const msghdr& message) noexcept {
  for (cmsghdr* each = CMSG_FIRSTHDR(&message); each != nullptr;
       each = CMSG_NXTHDR(const_cast<msghdr*>(&message), each)) {
    if (each->cmsg_level != IPPROTO_UDP || each->cmsg_type != UDP_GRO) continue;
    int size = 0;
    std::memcpy(&size, CMSG_DATA(each), sizeof size);
    if (size > 0 && size < UINT16_MAX) return static_cast<std::uint16_t>(size);
  }
  return UINT16_MAX;
}

void MessageBatch::set_segment_size(std::size_t index, std::uint16_t size) noexcept {
  segment_sizes_[index] = size;
  msghdr& header = messages_[index].msg_hdr;
  header.msg_control = controls_[index].bytes;
  header.msg_controllen = CMSG_SPACE(sizeof size);
  cmsghdr* const control = CMSG_FIRSTHDR(&header);
  control->cmsg_level = IPPROTO_UDP;
  control->cmsg_type = UDP_SEGMENT;
  control->cmsg_len = CMSG_LEN(sizeof size);
  std::memcpy(CMSG_DATA(control), &size, sizeof size);
}

std::size_t MessageBatch::add(std::span<rte_mbuf* const> buffers, bool trains) noexcept {
  rte_mbuf* const first = buffers[0];
  const Endpoint& to = meta(first).endpoint;
  const std::size_t index = count_++;
  iovec* const parts = &parts_[parts_used_];
  const std::size_t size = to.to_sockaddr(destinations_[index]);
  messages_[index].msg_hdr = {.msg_name = &destinations_[index],
                              .msg_namelen = static_cast<socklen_t>(size),
                              .msg_iov = parts};
  const std::uint32_t each = first->tso_segsz != 0 ? first->tso_segsz : first->pkt_len;
  std::size_t bytes = 0;
  std::size_t taken = 0;
  std::uint32_t datagrams = 0;
  for (rte_mbuf* const buffer : buffers) {
    const std::uint32_t its_each = buffer->tso_segsz != 0 ? buffer->tso_segsz : buffer->pkt_len;
    const std::uint32_t its_count = packet_count(buffer);
    // Only the last datagram of a train may be shorter, and none is empty.
    const bool joins = trains && buffer->pkt_len != 0 && bytes == std::size_t{each} * datagrams &&
                       its_each <= each && (its_each == each || its_count == 1) &&
                       datagrams + its_count <= kMaxTrain && bytes + buffer->pkt_len <= kMaxBytes &&
                       meta(buffer).endpoint == to;
    if (taken != 0 && !joins) break;
    parts[taken++] = {data_of(buffer), buffer->pkt_len};
    bytes += buffer->pkt_len;
    datagrams += its_count;
  }
  parts_used_ += taken;
  messages_[index].msg_hdr.msg_iovlen = taken;
  datagrams_[index] = datagrams;
  segment_sizes_[index] = static_cast<std::uint16_t>(each);
  if (datagrams > 1) set_segment_size(index, static_cast<std::uint16_t>(each));
  return taken;
}

std::uint32_t send_singly(int socket, MessageBatch& batch, std::size_t index) noexcept {
  const msghdr& train = batch.from(index)->msg_hdr;
  std::uint32_t accepted = 0;
  for (std::size_t i = 0; i < train.msg_iovlen; ++i) {
    auto* at = static_cast<std::uint8_t*>(train.msg_iov[i].iov_base);
    for (std::size_t left = train.msg_iov[i].iov_len; left != 0;) {
      const std::size_t size = std::min<std::size_t>(left, batch.segment_size(index));
      const ssize_t sent = sendto(socket, at, size, MSG_DONTWAIT,
                                  static_cast<const sockaddr*>(train.msg_name), train.msg_namelen);
      if (sent >= 0) {
        ++accepted;
      } else if (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM) {
        return accepted;
      }
      at += size;
      left -= size;
    }
  }
  return accepted;
}

}  // namespace ipop::engine
