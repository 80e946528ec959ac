// Any bytes as a request of a client, and as the status that a daemon sent: a request or a
// sentence; a status that is written and read again the same, or a sentence.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>

#include "overlay/control/request.hpp"
#include "overlay/status_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ipop::overlay;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto request = control::parse_request(text); !request) {
    if (request.error().message.empty()) std::abort();
  } else if (const auto* ping = std::get_if<control::PingRequest>(&*request)) {
    if (ping->count < 1 || ping->count > control::kMaxPingCount) std::abort();
  }

  const auto json = nlohmann::ordered_json::parse(text, nullptr, false);
  if (json.is_discarded()) return 0;
  const auto status = status_from_json(json);
  if (!status) {
    if (status.error().message.empty()) std::abort();
    return 0;
  }
  const std::string written = to_text(to_json(*status));
  const auto again = status_from_json(nlohmann::ordered_json::parse(written));
  if (!again || to_text(to_json(*again)) != written) std::abort();
  return 0;
}
