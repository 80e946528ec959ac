// What both ends do to the chaining key and the transcript hash (the Noise specification's
// SymmetricState; C and H of the WireGuard paper, §5.4). Any thread; the caller holds the state.
// A failed call may leave the state half advanced: consumers work on a copy.
#pragma once

#include "overlay/handshake/kdf.hpp"
#include "overlay/handshake/noise.hpp"

namespace ipop::overlay::handshake {

inline constexpr std::size_t kTagSize = 16;

// The state before the first message to `responder`.
[[nodiscard]] SymmetricState start_transcript(Form form, const ExchangePublicKey& responder);

// An ephemeral key as it goes by: into both the chaining key and the hash.
void mix_ephemeral(SymmetricState& state, std::span<const std::uint8_t, 32> public_key);

// The shared secret of `secret` and `remote` into the chaining key. Mixing for a cipher key also
// gives one for the next sealed field. False for a point of low order.
[[nodiscard]] bool mix_exchange(SymmetricState& state, std::span<const std::uint8_t, 32> secret,
                                std::span<const std::uint8_t, 32> remote);
[[nodiscard]] bool mix_exchange(SymmetricState& state, std::span<const std::uint8_t, 32> secret,
                                std::span<const std::uint8_t, 32> remote, Secret<32>& cipher_key);
// The preshared key, which also changes the hash. Gives a cipher key.
[[nodiscard]] Secret<32> mix_psk(SymmetricState& state, const Secret<32>& psk);

// One sealed field: authenticated by the transcript so far, of which its ciphertext becomes part.
// `sealed` is kTagSize longer than the plaintext; `open_field` is false if it does not open.
void seal_field(SymmetricState& state, const Secret<32>& key, ByteView plaintext,
                MutableBytes sealed);
[[nodiscard]] bool open_field(SymmetricState& state, const Secret<32>& key, ByteView sealed,
                              MutableBytes plaintext);

// The session's two keys, the initiator's sending key first (paper §5.4.5).
[[nodiscard]] std::array<Secret<32>, 2> split(const SymmetricState& state);

}  // namespace ipop::overlay::handshake
