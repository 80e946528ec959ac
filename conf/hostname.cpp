#include "conf/hostname.hpp"

#include <unistd.h>

#include <array>

#include "conf/field.hpp"

namespace ipop::conf {

std::string tidy_hostname(std::string_view name) {
  std::string tidy(name.substr(0, name.find('.')).substr(0, kMostHostnameBytes));
  for (char& c : tidy) {
    if (!parse_hostname(std::string_view(&c, 1))) c = '-';
  }
  return tidy.empty() ? "ipop" : tidy;
}

std::string machine_hostname() {
  std::array<char, 256> name{};  // Linux: at most 64 bytes; the last byte stays zero
  if (::gethostname(name.data(), name.size() - 1) != 0) return tidy_hostname("");
  return tidy_hostname(name.data());
}

}  // namespace ipop::conf
