// What the kernel takes for a frame written to a tap: whole or in the 45 pieces of a merged frame,
// by one system call each or four at a time through io_uring; and for a read that finds nothing.
// The frames have an EtherType that nobody listens to, so it is the tap's own share. Makes its tap
// in a network namespace of its own, for which it needs root.
#include <benchmark/benchmark.h>
#include <liburing.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "base/bytes.hpp"
#include "kni/tap_device.hpp"
#include "kni/vnet_header.hpp"

namespace ipop::kni {
namespace {

constexpr std::size_t kBatch = 4;  // super-packets that wait together under load, at most
constexpr std::uint16_t kExperimental = 0x88b5;  // IEEE 802, for local experiments

bool set_up(const char* name) {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  request.ifr_flags = IFF_UP;
  return ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
}

// The process's one tap, or why there is none.
const Result<Tap>& the_tap() {
  static const Result<Tap> tap = []() -> Result<Tap> {
    if (::unshare(CLONE_NEWNET) != 0) return fail_errno("a network namespace", errno);
    auto made = create_tap("bench0");
    if (made && !set_up("bench0")) return fail_errno("setting bench0 up", errno);
    return made;
  }();
  return tap;
}

// A frame of `size` bytes behind its virtio-net header, in `count` pieces.
class Pieces {
 public:
  Pieces(std::size_t size, std::size_t count) : bytes_(kVnetHeaderSize + size) {
    store_be(&bytes_[kVnetHeaderSize + 12], kExperimental);
    const std::size_t each = bytes_.size() / count;
    for (std::size_t i = 0; i < count; ++i) {
      const std::size_t at = i * each;
      parts_.push_back({&bytes_[at], i + 1 == count ? bytes_.size() - at : each});
    }
  }
  [[nodiscard]] const std::vector<iovec>& parts() const { return parts_; }

 private:
  std::vector<std::uint8_t> bytes_;
  std::vector<iovec> parts_;
};

bool skipped(benchmark::State& state) {
  if (the_tap()) return false;
  state.SkipWithError(the_tap().error().message.c_str());
  return true;
}

// Ranges of both: bytes of a frame, pieces.
void BM_WriteByCall(benchmark::State& state) {
  if (skipped(state)) return;
  const Pieces frame(static_cast<std::size_t>(state.range(0)),
                     static_cast<std::size_t>(state.range(1)));
  const int count = static_cast<int>(frame.parts().size());
  for (auto _ : state) {
    if (::writev(the_tap()->queues.front().get(), frame.parts().data(), count) < 0) {
      state.SkipWithError("the tap refused a frame");
      break;
    }
  }
}

void BM_WriteFourByRing(benchmark::State& state) {
  if (skipped(state)) return;
  const Pieces frame(static_cast<std::size_t>(state.range(0)),
                     static_cast<std::size_t>(state.range(1)));
  io_uring ring;
  if (io_uring_queue_init(2 * kBatch, &ring, 0) < 0) {
    state.SkipWithError("the kernel gives no io_uring");
    return;
  }
  bool taken = true;
  while (taken && state.KeepRunningBatch(kBatch)) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      io_uring_prep_writev(io_uring_get_sqe(&ring), the_tap()->queues.front().get(),
                           frame.parts().data(), static_cast<unsigned>(frame.parts().size()), 0);
    }
    taken = io_uring_submit_and_wait(&ring, kBatch) == static_cast<int>(kBatch);
    std::array<io_uring_cqe*, kBatch> done;
    const unsigned count = io_uring_peek_batch_cqe(&ring, done.data(), kBatch);
    for (unsigned i = 0; i < count; ++i)
      taken = taken && done[i]->res > 0;
    io_uring_cq_advance(&ring, count);
  }
  if (!taken) state.SkipWithError("the tap refused a frame");
  io_uring_queue_exit(&ring);
}

BENCHMARK(BM_WriteByCall)->ArgsProduct({{100, 60'000}, {1, 45}});
BENCHMARK(BM_WriteFourByRing)->ArgsProduct({{100, 60'000}, {1, 45}});

void BM_ReadNothing(benchmark::State& state) {
  if (skipped(state)) return;
  std::array<std::uint8_t, 64> bytes;
  const std::array<iovec, 4> parts{
      {{&bytes[0], 10}, {&bytes[10], 14}, {&bytes[24], 14}, {&bytes[38], 1}}};
  // At first it finds what the kernel sends by itself on a new interface.
  for (auto _ : state)
    benchmark::DoNotOptimize(::readv(the_tap()->queues.front().get(), parts.data(), parts.size()));
}
BENCHMARK(BM_ReadNothing);

}  // namespace
}  // namespace ipop::kni

BENCHMARK_MAIN();
