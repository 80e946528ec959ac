// Any bytes as a frame from the host: an answer is well formed, and is no question itself.
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "kni/checksum.hpp"
#include "kni/neighbour.hpp"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using ipop::kni::NeighbourFrame;
  using ipop::kni::NeighbourResponder;
  static const NeighbourResponder responder({ipop::IpAddress::v4(0xc0a80a0a)});

  std::array<std::uint8_t, NeighbourResponder::kMaxReply> reply;
  const auto answer = responder.answer({data, size}, reply);
  require((answer.size != 0) == (answer.frame == NeighbourFrame::kAnswered));
  require(answer.size <= reply.size());
  if (answer.size != 0) {
    std::array<std::uint8_t, NeighbourResponder::kMaxReply> second;
    const auto echo = responder.answer(ipop::ByteView(reply).first(answer.size), second);
    require(echo.frame == NeighbourFrame::kIgnored);
  }

  // Checksum completion takes its positions from the same hands.
  std::vector<std::uint8_t> frame(data, data + size);
  if (size >= 4) {
    const auto start = ipop::load_le<std::uint16_t>(data);
    const auto offset = ipop::load_le<std::uint16_t>(data + 2);
    static_cast<void>(ipop::kni::complete_checksum(frame, start, offset));
  }
  return 0;
}
