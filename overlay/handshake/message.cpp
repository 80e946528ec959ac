#include "overlay/handshake/message.hpp"

namespace ipop::overlay::handshake {

bool has_layout(ByteView message, MessageType type, std::size_t size,
                std::size_t payload) noexcept {
  return message.size() >= size && message.size() - size <= payload &&
         load_le<std::uint32_t>(message.data()) == static_cast<std::uint32_t>(type);
}

std::vector<std::uint8_t> make_message(MessageType type, std::size_t size) {
  std::vector<std::uint8_t> message(size);
  message[0] = static_cast<std::uint8_t>(type);
  return message;
}

std::optional<std::uint32_t> receiver_of(ByteView message) noexcept {
  if (has_layout(message, MessageType::kResponse, kResponseSize, 0) ||
      has_layout(message, MessageType::kIpopResponse, kResponseSize, kMaxPayload)) {
    return load_le<std::uint32_t>(&message[8]);
  }
  if (has_layout(message, MessageType::kCookieReply, kCookieReplySize, 0)) {
    return load_le<std::uint32_t>(&message[4]);
  }
  return std::nullopt;
}

}  // namespace ipop::overlay::handshake
