#include "overlay/control/request.hpp"

#include <cstdint>
#include <nlohmann/json.hpp>

namespace ipop::overlay::control {
namespace {

using Json = nlohmann::json;

Result<std::string> text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) {
    return fail(std::string("\"") + key + "\" is missing or not a text");
  }
  return found->get<std::string>();
}

Result<Request> parse_ping(const Json& object) {
  const auto text = text_of(object, "address");
  if (!text) return std::unexpected(text.error().within("ping"));
  const auto address = IpAddress::parse(*text);
  if (!address) return std::unexpected(address.error().within("ping"));

  PingRequest ping{.address = *address};
  if (const auto count = object.find("count"); count != object.end()) {
    if (!count->is_number_unsigned() || count->get<std::uint64_t>() < 1 ||
        count->get<std::uint64_t>() > kMaxPingCount) {
      return fail("ping: \"count\" is not a number from 1 to " + std::to_string(kMaxPingCount));
    }
    ping.count = count->get<unsigned>();
  }
  return ping;
}

Result<Request> parse_peer(const Json& object) {
  auto who = text_of(object, "who");
  if (!who) return std::unexpected(who.error().within("peer"));
  return PeerRequest{std::move(*who)};
}

}  // namespace

Result<Request> parse_request(std::string_view line) {
  const Json object = Json::parse(line, nullptr, false);
  if (object.is_discarded()) return fail("the request is not JSON");
  if (!object.is_object()) return fail("the request is not a JSON object");
  const auto command = text_of(object, "command");
  if (!command) return std::unexpected(command.error());

  if (*command == "status") return StatusRequest{};
  if (*command == "version") return VersionRequest{};
  if (*command == "stop") return StopRequest{};
  if (*command == "reload") return ReloadRequest{};
  if (*command == "peer") return parse_peer(object);
  if (*command == "ping") return parse_ping(object);
  return fail(
      "the command is not known; there are status, peer, ping, reload, stop and "
      "version");
}

}  // namespace ipop::overlay::control
