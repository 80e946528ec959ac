// From the YAML file to a Config that is complete and checked, or to all that is wrong with it.
// Start-up and reload, one thread. It reads the file, and network.secret_file if that is set; it
// looks nothing up in the network and changes nothing.
#pragma once

#include <expected>
#include <filesystem>
#include <string_view>
#include <vector>

#include "conf/config.hpp"
#include "conf/error.hpp"

namespace ipop::conf {

using Loaded = std::expected<Config, std::vector<ConfigError>>;

[[nodiscard]] Loaded load_file(const std::filesystem::path& file);

// `file_name` is what errors name; a relative network.secret_file is looked for in its folder.
[[nodiscard]] Loaded load_text(std::string_view text, const std::filesystem::path& file_name);

}  // namespace ipop::conf
