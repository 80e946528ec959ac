// The node's own credential, kept in its state directory: what matters is when it first claimed its
// addresses, since of two claims the earlier one counts. Start-up only.
#pragma once

#include <filesystem>
#include <string>

#include "overlay/trust/credential.hpp"

namespace ipop::overlay {

// What is wanted, signed. The time of the claim is the stored one as long as the addresses are the
// same; a new or damaged file means a new claim, at `now` (`warning` then says what was wrong).
// Fails if the file cannot be written.
[[nodiscard]] Result<Credential> own_credential(const Identity& identity,
                                                const std::vector<Prefix>& addresses,
                                                const std::vector<Prefix>& routes,
                                                const std::string& hostname,
                                                const std::filesystem::path& file, WallTime now,
                                                std::string& warning);

}  // namespace ipop::overlay
