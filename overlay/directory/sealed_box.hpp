// The envelope of all that IPOP stores in the directory: sealed with the network's key
// (XChaCha20-Poly1305), so that outsiders see random bytes, and bound to its kind and place, so
// that it opens nowhere else. Any thread.
#pragma once

#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/secret.hpp"
#include "overlay/directory/directory_key.hpp"

namespace ipop::overlay {

inline constexpr std::size_t kSealedBoxOverhead = 24 + 16;  // nonce, tag

// nonce ‖ ciphertext ‖ tag. `kind` names the format and its version.
[[nodiscard]] std::vector<std::uint8_t> seal_box(const Secret<32>& key, std::string_view kind,
                                                 const DirectoryKey& at, ByteView plaintext);
[[nodiscard]] Result<std::vector<std::uint8_t>> open_box(const Secret<32>& key,
                                                         std::string_view kind,
                                                         const DirectoryKey& at, ByteView sealed);

}  // namespace ipop::overlay
