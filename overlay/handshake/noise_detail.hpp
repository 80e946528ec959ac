// The two functions of noise.hpp that draw an ephemeral key, with the key given instead: the same
// key must give the same bytes, which is how tests compare with other implementations. Never call
// these with a key that was used before.
#pragma once

#include "overlay/handshake/noise.hpp"

namespace ipop::overlay::handshake::detail {

[[nodiscard]] Result<Initiation> create_initiation_with(
    const Secret<32>& ephemeral, Form form, const LocalKeys& local, const ExchangePublicKey& remote,
    std::uint32_t local_index, const Timestamp& timestamp, ByteView payload);

[[nodiscard]] Result<Response> create_response_with(const Secret<32>& ephemeral,
                                                    const ReceivedInitiation& initiation,
                                                    std::uint32_t local_index,
                                                    const Secret<32>& psk, ByteView payload);

}  // namespace ipop::overlay::handshake::detail
