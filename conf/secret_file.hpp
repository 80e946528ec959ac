// Reads network.secret_file: a secret that stands in a file of its own, so that the configuration
// can be shown around. Start-up and reload.
#pragma once

#include <filesystem>
#include <string>

#include "base/error.hpp"

namespace ipop::conf {

// The content without one trailing line end: 1 to 1024 bytes. Fails if it is not a regular file, or
// if others than its owner may read or write it.
[[nodiscard]] Result<std::string> read_secret_file(const std::filesystem::path& file);

}  // namespace ipop::conf
