// The rules that concern more than one value: what would be accepted key by key, but cannot work
// together. Pure; a value that was refused already has no position and is left out.
#pragma once

#include "conf/config.hpp"
#include "conf/error.hpp"
#include "conf/value.hpp"

namespace ipop::conf {

constexpr std::size_t kMostAuthorities = 2;
constexpr std::size_t kMostRoutes = 16;  // what a credential can carry

void validate(const Config& config, const Positions& positions, ErrorList& errors);

}  // namespace ipop::conf
