// The text forms in which OpenSSL takes extensions, and the subject of those who are named. For the
// signing side.
#pragma once

#include <string>

#include "overlay/trust/x509/openssl.hpp"
#include "overlay/trust/x509/request.hpp"

namespace ipop::overlay::x509 {

// "IP:192.168.10.10,DNS:alice"; empty if there are none.
[[nodiscard]] std::string alternative_names_text(const HostNames& names);

// Fails if a name is empty, too long, or one that a text form would misread.
[[nodiscard]] Result<void> check(const HostNames& names);

using OwnedName = Owned<X509_NAME, X509_NAME_free>;
// CN, then an OU for each group.
[[nodiscard]] Result<OwnedName> subject_of(const std::string& name,
                                           const std::vector<std::string>& groups);

}  // namespace ipop::overlay::x509
