// Any bytes as a DHT datagram: the check reads nothing beyond them, and ends.
#include "overlay/directory/dht_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  (void)ipop::overlay::is_dht_message({data, size});
  return 0;
}
