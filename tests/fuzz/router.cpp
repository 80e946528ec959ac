// What a router says, by PCP, NAT-PMP, SSDP, HTTP and XML: anybody on the same Ethernet may pose as
// one.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "overlay/port_mapping/nat_pmp_message.hpp"
#include "overlay/port_mapping/pcp_message.hpp"
#include "overlay/port_mapping/upnp_message.hpp"

namespace {

using namespace ipop;
using namespace ipop::overlay;

// Nothing from outside may add a line to a request of ours.
void check_path(const http::Target& target) {
  const bool plain = std::ranges::all_of(target.path, [](char c) { return c > ' ' && c < 0x7f; });
  if (!plain || (!target.path.empty() && target.path.front() != '/')) std::abort();
}

void http_and_xml(std::string_view text) {
  check_path(http::parse_target(text));
  check_path(upnp::parse_search_answer(text));
  for (const bool ended : {false, true}) {
    http::Answer answer;
    if (http::parse_answer(text, ended, answer) != http::Progress::kWhole) continue;
    if (answer.body.size() > text.size()) std::abort();
    (void)upnp::result_of(answer);
  }
  if (upnp::element(text, "NewExternalIPAddress").size() > text.size()) std::abort();
  const auto services = upnp::parse_description(text);
  if (services.size() > upnp::kMostServices) std::abort();
  for (const upnp::Service& service : services)
    check_path(service.control);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  (void)nat_pmp::parse_address_answer(input);
  (void)nat_pmp::parse_map_answer(input, 4545);
  const pcp::MapRequest asked{.client = IpAddress::v4(1), .inner_port = 4545};
  if (const auto answer = pcp::parse_map_answer(input, asked)) {
    const bool granted = answer->code == pcp::Code::kSuccess;
    if (granted && size < 60) std::abort();
  }
  http_and_xml({reinterpret_cast<const char*>(data), size});
  return 0;
}
