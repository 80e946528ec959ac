// Whether the wire that a configuration asks for can be had on this machine.
#pragma once

#include <filesystem>

#include "app/doctor/finding.hpp"
#include "conf/config.hpp"

namespace ipop::app {

[[nodiscard]] Finding examine_wire(const conf::Wire& wire, const std::filesystem::path& root);

}  // namespace ipop::app
