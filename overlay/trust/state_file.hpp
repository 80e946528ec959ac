// Files of the daemon's state that are complete or not there at all: written under another name,
// synchronised to the disk, then given their name. Start-up and overlay thread; blocks for the
// disk. Does not make directories.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace ipop::overlay {

enum class IfExists : std::uint8_t { kRefuse, kReplace };

// Only the owner may read and write the file (mode 0600).
[[nodiscard]] Result<void> write_state_file(const std::filesystem::path& file,
                                            std::string_view content, IfExists if_exists);

// The whole content. Fails if it is not a regular file or has more than `limit` bytes.
[[nodiscard]] Result<std::string> read_state_file(const std::filesystem::path& file,
                                                  std::size_t limit);

}  // namespace ipop::overlay
