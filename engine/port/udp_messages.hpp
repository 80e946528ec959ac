// How trains of datagrams are written to a UDP socket and read from one: the messages of a burst
// with their UDP_SEGMENT, and the segment size that UDP_GRO tells. One lcore; Linux 4.18 and 5.0.
#pragma once

#include <rte_mbuf.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <span>

#include "base/fd.hpp"
#include "engine/port/port.hpp"

namespace ipop::engine {

struct TrainSupport {
  bool send = false;
  bool receive = false;
};

// Asks the kernel for both, and says what it has.
[[nodiscard]] TrainSupport ask_for_trains(const Fd& socket) noexcept;

// Room for one control message that holds an int.
struct SegmentSizeControl {
  alignas(cmsghdr) std::uint8_t bytes[CMSG_SPACE(sizeof(int))];
};
// Of a message read; UINT16_MAX if it says nothing, so that every length is one datagram.
[[nodiscard]] std::uint16_t segment_size_of(const msghdr& message) noexcept;

// A burst as the messages of one sendmmsg. Holds pointers into the buffers given.
class MessageBatch {
 public:
  static constexpr std::size_t kMaxTrain = 64;  // what every kernel takes

  // Makes one message of the first buffer, and with `trains` of all that follow it to the same
  // endpoint and fill one train with it; returns how many buffers that were. At most kBurst buffers
  // over all calls.
  std::size_t add(std::span<rte_mbuf* const> buffers, bool trains) noexcept;

  [[nodiscard]] std::size_t size() const noexcept { return count_; }
  [[nodiscard]] mmsghdr* from(std::size_t index) noexcept { return &messages_[index]; }
  [[nodiscard]] bool is_train(std::size_t index) const noexcept {
    return messages_[index].msg_hdr.msg_controllen != 0 || datagrams_[index] > 1;
  }
  [[nodiscard]] std::uint32_t datagrams(std::size_t index) const noexcept {
    return datagrams_[index];
  }
  [[nodiscard]] std::uint16_t segment_size(std::size_t index) const noexcept {
    return segment_sizes_[index];
  }

 private:
  void set_segment_size(std::size_t index, std::uint16_t size) noexcept;

  std::size_t count_ = 0;
  std::size_t parts_used_ = 0;
  std::array<mmsghdr, kBurst> messages_;
  std::array<iovec, kBurst> parts_;
  std::array<sockaddr_storage, kBurst> destinations_;
  std::array<SegmentSizeControl, kBurst> controls_;
  std::array<std::uint32_t, kBurst> datagrams_;
  std::array<std::uint16_t, kBurst> segment_sizes_;
};

// Sends a train's datagrams one by one; returns how many the kernel took.
[[nodiscard]] std::uint32_t send_singly(int socket, MessageBatch& batch,
                                        std::size_t index) noexcept;

}  // namespace ipop::engine
