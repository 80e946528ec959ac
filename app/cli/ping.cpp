#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <ostream>

#include "app/cli/command.hpp"
#include "app/cli/daemon_client.hpp"
#include "app/cli/quantity.hpp"
#include "app/cli/status_table.hpp"
#include "base/ip.hpp"
#include "overlay/control/answer.hpp"
#include "overlay/control/client.hpp"
#include "overlay/control/request.hpp"
#include "overlay/status_json.hpp"

namespace ipop::app {
namespace {

using Json = nlohmann::ordered_json;
using overlay::control::Answer;
using overlay::control::Client;

struct PingOptions {
  std::string who;
  unsigned count = 4;
};

// The daemon gives up on a ping long before that.
constexpr std::chrono::seconds kReplyTimeout{15};

// An address as it stands; for a name, the first address of the peer that has it.
std::string address_of(const Context& context, const std::string& who) {
  if (IpAddress::parse(who)) return who;
  const auto peer =
      or_throw(overlay::peer_from_json(ask(context, {{"command", "peer"}, {"who", who}})));
  if (peer.addresses.empty()) throw std::runtime_error(who + " has no address");
  return peer.addresses.front();
}

class RoundTrips {
 public:
  void add(double ms) {
    least_ = count_ == 0 ? ms : std::min(least_, ms);
    most_ = std::max(most_, ms);
    sum_ += ms;
    ++count_;
  }
  [[nodiscard]] unsigned count() const noexcept { return count_; }
  [[nodiscard]] std::string text() const {
    return fmt::format("least {}, mean {}, most {}", milliseconds_text(least_),
                       milliseconds_text(sum_ / count_), milliseconds_text(most_));
  }

 private:
  double least_ = 0;
  double most_ = 0;
  double sum_ = 0;
  unsigned count_ = 0;
};

// A field of the daemon's reply, empty if it is not there.
std::string text_of(const Json& reply, const char* key) {
  const auto found = reply.find(key);
  return found != reply.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::string reply_text(const std::string& address, unsigned sequence, const Json& reply) {
  const std::string why = printable(text_of(reply, "why"));
  const auto rtt = reply.find("rtt_ms");
  if (rtt == reply.end() || !rtt->is_number()) {
    return fmt::format("{}: no answer to {}{}{}\n", address, sequence, why.empty() ? "" : ": ",
                       why);
  }
  std::string path = text_of(reply, "path");
  if (const auto via = reply.find("relay_via"); via != reply.end() && via->is_array()) {
    const char* between = " through ";
    for (const Json& hop : *via) {
      if (hop.is_string()) path += std::exchange(between, ", then ") + hop.get<std::string>();
    }
  }
  return fmt::format("{}: answer to {} in {}, {}, {}\n", address, sequence,
                     milliseconds_text(rtt->get<double>()), printable(path),
                     printable(text_of(reply, "endpoint")));
}

void ping(Context& context, const PingOptions& options) {
  const std::string address = address_of(context, options.who);
  auto client = or_throw(Client::connect(context.runtime));
  or_throw(client.send({{"command", "ping"}, {"address", address}, {"count", options.count}},
                       kAnswerTimeout));
  RoundTrips round_trips;
  unsigned sequence = 0;
  for (;;) {
    const Answer answer = or_throw(client.receive(kReplyTimeout));
    if (answer.done) break;
    if (!answer.result.is_object()) throw std::runtime_error("the daemon's answer is not a reply");
    context.out << reply_text(address, ++sequence, answer.result) << std::flush;
    const auto rtt = answer.result.find("rtt_ms");
    if (rtt != answer.result.end() && rtt->is_number()) round_trips.add(rtt->get<double>());
  }
  context.out << fmt::format("{} sent, {} answered{}{}\n", sequence, round_trips.count(),
                             round_trips.count() > 0 ? ": " : "",
                             round_trips.count() > 0 ? round_trips.text() : "");
  context.exit_code = round_trips.count() > 0 ? kSuccess : kFailure;
}

}  // namespace

void add_ping(CLI::App& app, Context& context) {
  const auto options = std::make_shared<PingOptions>();
  CLI::App* command =
      app.add_subcommand("ping", "Ask a peer for a sign of life, and show the path it took");
  command->add_option("address", options->who, "The peer's address or name in the network")
      ->required();
  command->add_option("-c,--count", options->count, "How many times")
      ->check(CLI::Range(1u, overlay::control::kMaxPingCount))
      ->capture_default_str();
  command->callback([&context, options] { ping(context, *options); });
}

}  // namespace ipop::app
