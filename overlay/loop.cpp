#include "overlay/loop.hpp"

#include <unistd.h>

#include <algorithm>
#include <asio/post.hpp>
#include <stdexcept>
#include <utility>

#include "base/log.hpp"

namespace ipop::overlay {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kPuntBatch = 256;
constexpr Duration kLookInterval = 2s;     // should the kernel not tell
constexpr Duration kShortestLook = 100ms;  // however much changes
constexpr Duration kShortestWait = 1ms;

bool is_dht(const engine::Punt& punt) {
  return punt.kind == engine::PuntKind::kDatagram && !punt.bytes.empty() &&
         (punt.bytes[0] & 0xf0) == 0x80;
}

}  // namespace

Loop::Loop(asio::io_context& io, engine::PuntQueue& punts, OpenDhtDirectory& directory,
           Overlay& overlay, std::string interface, std::vector<conf::HostPort> stun,
           std::function<std::vector<Prefix>()> addresses)
    : io_(io),
      punts_(punts),
      directory_(directory),
      overlay_(overlay),
      interface_(std::move(interface)),
      addresses_(std::move(addresses)),
      stun_(std::move(stun)),
      punt_fd_(io, ::dup(punts.wake_fd())),
      timer_(io),
      watch_(io, [this] { on_network_change(); }) {}

Loop::~Loop() = default;

void Loop::map_port(std::uint16_t port) {
  overlay_.set_port_mapping({.why = "the router has not answered yet"}, read_clock());
  mapper_ = std::make_unique<PortMapper>(
      PortMapper::Settings{.port = port, .interface = interface_}, [this](PortMapping mapping) {
        asio::post(io_, [this, mapping = std::move(mapping)] {
          if (stopping_) return;
          overlay_.set_port_mapping(mapping, read_clock());
          turn();
        });
      });
}

void Loop::discover_lan() {
  try {
    lan_ = std::make_unique<LanSocket>(io_, interface_, [this](ByteView datagram) {
      if (stopping_) return;
      overlay_.on_lan(datagram, read_clock());
      turn();
    });
  } catch (const std::runtime_error& error) {
    log::warning("nobody is looked for on our links: {}", error.what());
    return;
  }
  overlay_.set_lan_sender([this](ByteView datagram) { lan_->send(datagram); });
}

void Loop::start() {
  const Now now = read_clock();
  started_ = now.mono;
  look_around(now);
  overlay_.start(now);
  wait_for_punts();
  turn();
}

void Loop::stop() {
  if (stopping_) return;
  stopping_ = true;
  if (mapper_) mapper_->begin_stop();
  overlay_.stop(read_clock());
  watch_.stop();
  if (lan_) lan_->stop();
  timer_.cancel();
  punt_fd_.close();
}

void Loop::kick() {
  asio::post(io_, [this] {
    if (!stopping_) turn();
  });
}

void Loop::wait_for_punts() {
  punt_fd_.async_wait(asio::posix::stream_descriptor::wait_read,
                      [this](const std::error_code& error) {
                        if (error || stopping_) return;
                        turn();
                        if (!stopping_) wait_for_punts();
                      });
}

void Loop::wait_for_time() {
  const Instant due = std::min({overlay_.deadline(), directory_.due(), next_look_});
  const Duration wait = std::max(due - read_monotonic(), kShortestWait);
  timer_.expires_after(wait);
  timer_.async_wait([this](const std::error_code& error) {
    if (!error && !stopping_) turn();
  });
}

void Loop::take_punts(Now now) {
  punts_.drain(kPuntBatch, [&](const engine::Punt& punt) {
    if (is_dht(punt)) {
      directory_.on_datagram(punt.source, punt.bytes, now.mono);
    } else {
      overlay_.on_punt(punt, now);
    }
  });
}

// What changes around us without a word: our addresses, and those of the servers we know by name.
void Loop::look_around(Now now) {
  if (now.mono >= next_look_) {
    last_look_ = now.mono;
    next_look_ = now.mono + kLookInterval;
    overlay_.set_local_addresses(addresses_(), now);
    // The same addresses by another route may look different from outside.
    if (std::exchange(network_changed_, false)) {
      overlay_.on_network_change(now);
      if (mapper_) mapper_->look_again();
      if (lan_) lan_->look_again();
    }
  }
  std::vector<Endpoint> servers = stun_.endpoints(now.mono);
  for (const Endpoint& node : directory_.bootstrap_endpoints())
    servers.push_back(node);
  has_stun_servers_ = !servers.empty();
  overlay_.set_stun_servers(servers, now);
}

void Loop::on_network_change() {
  if (stopping_) return;
  network_changed_ = true;
  next_look_ = std::min(next_look_, last_look_ + kShortestLook);
  turn();
}

void Loop::turn() {
  const Now now = read_clock();
  overlay_.set_time(now);
  take_punts(now);
  // The names of the first servers are known soon after the start, and nobody should wait for them.
  const bool starting = !has_stun_servers_ && now.mono < started_ + kLookInterval;
  if (now.mono >= next_look_ || starting) look_around(now);
  static_cast<void>(directory_.run(now.mono));
  if (now.mono >= overlay_.deadline()) overlay_.service(now);
  wait_for_time();
}

}  // namespace ipop::overlay
