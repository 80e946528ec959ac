// Any bytes as a configuration: either a Config, or errors that each say something and point into
// the text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "conf/load.hpp"
#include "conf/reload.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto first = ipop::conf::load_text(text, "/nonexistent/ipop.yaml");
  const auto second = ipop::conf::load_text(text, "/nonexistent/ipop.yaml");
  if (first.has_value() != second.has_value()) std::abort();
  if (first) {
    if (!ipop::conf::compare(*first, *second).none()) std::abort();
    return 0;
  }
  if (first.error().empty()) std::abort();
  for (const ipop::conf::ConfigError& error : first.error()) {
    if (error.message.empty() || error.line < 0 || (error.line > 0) != (error.column > 0)) {
      std::abort();
    }
    // One line more than there are line ends, and none but those.
    int lines = 1;
    for (const char c : text)
      lines += c == '\n' ? 1 : 0;
    if (error.line > lines) std::abort();
    if (error.to_string().find('\n') != std::string::npos) std::abort();
  }
  return 0;
}
