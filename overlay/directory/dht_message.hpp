// Whether bytes from the wire are a message that OpenDHT may be handed. OpenDHT 2.4.12 reads parts
// of a message without looking at their type first, so that one datagram from anybody can end the
// process (a request whose arguments are a number, say). This checks form only; what a message says
// is OpenDHT's matter. Any thread; pure.
#pragma once

#include "base/bytes.hpp"

namespace ipop::overlay {

[[nodiscard]] bool is_dht_message(ByteView datagram) noexcept;

}  // namespace ipop::overlay
