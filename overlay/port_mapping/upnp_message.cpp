#include "overlay/port_mapping/upnp_message.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace ipop::overlay::upnp {
namespace {

// What maps ports, in the order of preference.
constexpr std::array<std::string_view, 4> kServices = {
    "urn:schemas-upnp-org:service:WANIPConnection:2",
    "urn:schemas-upnp-org:service:WANIPConnection:1",
    "urn:schemas-upnp-org:service:WANPPPConnection:2",
    "urn:schemas-upnp-org:service:WANPPPConnection:1"};

std::string_view trimmed(std::string_view text) noexcept {
  constexpr const char* kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

struct Tag {
  std::string_view name;  // without its prefix
  bool closing = false;
  bool empty = false;  // <name/>
  std::size_t begin = 0;
  std::size_t end = 0;  // behind its ">"
};

// The next one from `from` on. Comments and declarations look like tags of odd names.
std::optional<Tag> next_tag(std::string_view xml, std::size_t from) noexcept {
  const std::size_t begin = xml.find('<', from);
  if (begin == std::string_view::npos) return std::nullopt;
  const std::size_t end = xml.find('>', begin);
  if (end == std::string_view::npos) return std::nullopt;
  std::string_view inside = xml.substr(begin + 1, end - begin - 1);
  Tag tag{.begin = begin, .end = end + 1};
  tag.closing = inside.starts_with('/');
  if (tag.closing) inside.remove_prefix(1);
  tag.empty = inside.ends_with('/');
  if (tag.empty) inside.remove_suffix(1);
  inside = inside.substr(0, inside.find_first_of(" \t\r\n"));
  tag.name = inside.substr(inside.find(':') + 1);  // npos + 1 is 0
  return tag;
}

// What stands between an element's tags, and where it ends. The elements that we look for do not
// contain others of their own name.
struct Element {
  std::string_view inside;
  std::size_t end = 0;
};

std::optional<Element> find_element(std::string_view xml, std::string_view name,
                                    std::size_t from) noexcept {
  auto tag = next_tag(xml, from);
  while (tag && (tag->closing || tag->name != name))
    tag = next_tag(xml, tag->end);
  if (!tag) return std::nullopt;
  if (tag->empty) return Element{{}, tag->end};
  const std::size_t begin = tag->end;
  while (tag && !(tag->closing && tag->name == name))
    tag = next_tag(xml, tag->end);
  if (!tag) return std::nullopt;
  return Element{xml.substr(begin, tag->begin - begin), tag->end};
}

std::string without_entities(std::string_view text) {
  constexpr std::string_view kAmpersand = "&amp;";
  std::string plain;
  for (std::size_t at = 0; at < text.size();) {
    plain += text[at];
    at += text.substr(at).starts_with(kAmpersand) ? kAmpersand.size() : 1;
  }
  return plain;
}

}  // namespace

std::string search_request(std::string_view device) {
  return fmt::format(
      "M-SEARCH * HTTP/1.1\r\n"
      "HOST: 239.255.255.250:1900\r\n"
      "MAN: \"ssdp:discover\"\r\n"
      "MX: 1\r\n"
      "ST: {}\r\n\r\n",
      device);
}

http::Target parse_search_answer(std::string_view datagram) {
  const std::string_view head = datagram.substr(0, datagram.find('\0'));
  if (!head.starts_with("HTTP/1.1 200") && !head.starts_with("HTTP/1.0 200")) return {};
  if (http::field(head, "st").find("InternetGatewayDevice:") == std::string_view::npos) return {};
  http::Target target = http::parse_target(http::field(head, "location"));
  return target.port == 0 ? http::Target{} : target;
}

std::vector<Service> parse_description(std::string_view xml) {
  std::vector<Service> found;
  for (std::size_t at = 0; found.size() < kMostServices;) {
    const auto service = find_element(xml, "service", at);
    if (!service) break;
    at = service->end;
    const std::string_view type = element(service->inside, "serviceType");
    if (std::ranges::find(kServices, type) == kServices.end()) continue;
    http::Target control =
        http::parse_target(without_entities(element(service->inside, "controlURL")));
    if (!control.path.empty()) found.push_back({std::string(type), std::move(control)});
  }
  std::ranges::stable_sort(found, {}, [](const Service& service) {
    return std::ranges::find(kServices, service.type) - kServices.begin();
  });
  return found;
}

std::string get_request(const Endpoint& server, std::string_view path) {
  return fmt::format(
      "GET {} HTTP/1.1\r\n"
      "Host: {}\r\n"
      "Connection: close\r\n\r\n",
      path, server.to_string());
}

std::string call_request(const Endpoint& server, const Service& service, std::string_view action,
                         const Arguments& arguments) {
  std::string inside;
  for (const auto& [name, value] : arguments)
    inside += fmt::format("<{0}>{1}</{0}>", name, value);
  const std::string body = fmt::format(
      "<?xml version=\"1.0\"?>\r\n"
      "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\" "
      "s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\"><s:Body>"
      "<u:{0} xmlns:u=\"{1}\">{2}</u:{0}></s:Body></s:Envelope>\r\n",
      action, service.type, inside);
  return fmt::format(
      "POST {} HTTP/1.1\r\n"
      "Host: {}\r\n"
      "Content-Type: text/xml; charset=\"utf-8\"\r\n"
      "Content-Length: {}\r\n"
      "SOAPAction: \"{}#{}\"\r\n"
      "Connection: close\r\n\r\n"
      "{}",
      service.control.path, server.to_string(), body.size(), service.type, action, body);
}

std::string_view element(std::string_view xml, std::string_view name) {
  const auto found = find_element(xml, name, 0);
  return found ? trimmed(found->inside) : std::string_view{};
}

int result_of(const http::Answer& answer) {
  if (answer.status == 200) return 0;
  int code = -1;
  const std::string_view text = element(answer.body, "errorCode");
  if (std::from_chars(text.data(), text.data() + text.size(), code).ec != std::errc() || code <= 0)
    return -1;
  return code;
}

}  // namespace ipop::overlay::upnp
