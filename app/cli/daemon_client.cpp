#include "app/cli/daemon_client.hpp"

#include <nlohmann/json.hpp>

#include "overlay/control/client.hpp"
#include "overlay/status_json.hpp"

namespace ipop::app {

nlohmann::ordered_json ask(const Context& context, const nlohmann::ordered_json& request) {
  auto client = or_throw(overlay::control::Client::connect(context.runtime));
  return or_throw(client.call(request, kAnswerTimeout));
}

overlay::Status ask_status(const Context& context) {
  return or_throw(overlay::status_from_json(ask(context, {{"command", "status"}})));
}

}  // namespace ipop::app
