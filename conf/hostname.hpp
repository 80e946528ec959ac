// The name under which a node shows itself when the configuration gives none: the machine's.
// Start-up and reload.
#pragma once

#include <string>
#include <string_view>

namespace ipop::conf {

// The first label of a name, with every character that a host name may not have turned into "-",
// at most 63 bytes; "ipop" if nothing is left.
[[nodiscard]] std::string tidy_hostname(std::string_view name);

[[nodiscard]] std::string machine_hostname();

}  // namespace ipop::conf
