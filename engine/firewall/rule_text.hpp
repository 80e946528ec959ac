// A rule in words, for status, `ipop firewall` and logs. Overlay thread and `ipop`.
#pragma once

#include <string>

#include "conf/firewall.hpp"
#include "engine/firewall/packet_facts.hpp"

namespace ipop::engine::firewall {

// "allow tcp 22,8000-8010 from group admin, at 10.0.0.0/8, to 10.1.0.0/16".
[[nodiscard]] std::string text_of(const conf::FirewallRule& rule, Direction direction);
[[nodiscard]] const char* word_of(conf::FirewallAction action) noexcept;

}  // namespace ipop::engine::firewall
