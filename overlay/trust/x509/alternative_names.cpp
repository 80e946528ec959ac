#include "overlay/trust/x509/alternative_names.hpp"

#include <algorithm>

namespace ipop::overlay::x509 {
namespace {

constexpr std::size_t kMaxName = 64;  // ub-common-name and ub-organizational-unit-name, RFC 5280

bool is_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

Result<void> check_text(const std::string& what, const std::string& text) {
  const bool visible =
      std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
  if (text.empty() || text.size() > kMaxName || !visible) {
    return fail(what + " has 1 to 64 bytes, and no control characters");
  }
  return {};
}

}  // namespace

std::string alternative_names_text(const HostNames& names) {
  std::string text;
  const auto add = [&](const std::string& one) { text += (text.empty() ? "" : ",") + one; };
  for (const IpAddress& address : names.addresses)
    add("IP:" + address.to_string());
  for (const std::string& dns : names.dns_names)
    add("DNS:" + dns);
  return text;
}

Result<void> check(const HostNames& names) {
  if (auto checked = check_text("a host's name", names.name); !checked) return checked;
  for (const std::string& group : names.groups) {
    if (auto checked = check_text("a group's name", group); !checked) return checked;
  }
  for (const std::string& dns : names.dns_names) {
    if (dns.empty() || dns.size() > 253 || !std::ranges::all_of(dns, is_plain)) {
      return fail("'" + dns + "' is not a DNS name");
    }
  }
  return {};
}

Result<OwnedName> subject_of(const std::string& name, const std::vector<std::string>& groups) {
  OwnedName subject(X509_NAME_new());
  const auto add = [&](int nid, const std::string& value) {
    return X509_NAME_add_entry_by_NID(subject.get(), nid, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(value.data()),
                                      static_cast<int>(value.size()), -1, 0) == 1;
  };
  bool good = subject && add(NID_commonName, name);
  for (const std::string& group : groups)
    good = good && add(NID_organizationalUnitName, group);
  if (!good) return fail("'" + name + "' cannot be a name: " + take_openssl_error());
  return subject;
}

}  // namespace ipop::overlay::x509
