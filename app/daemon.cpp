#include "app/daemon.hpp"

#include <pthread.h>
#include <sodium.h>

#include <algorithm>
#include <asio/post.hpp>
#include <asio/signal_set.hpp>
#include <asio/steady_timer.hpp>
#include <csignal>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>

#include "app/daemon_parts.hpp"
#include "app/firewall_rules.hpp"
#include "app/handshake_timers.hpp"
#include "app/hardening/confinement.hpp"
#include "app/own_node.hpp"
#include "app/pinger.hpp"
#include "app/processors.hpp"
#include "app/sd_notify.hpp"
#include "app/trust_files.hpp"
#include "app/value_or_throw.hpp"
#include "app/version.hpp"
#include "app/wire.hpp"
#include "base/log.hpp"
#include "conf/load.hpp"
#include "conf/reload.hpp"
#include "engine/eal.hpp"
#include "kni/tap_port.hpp"
#include "overlay/control/server.hpp"
#include "overlay/loop.hpp"

namespace ipop::app {
namespace {

std::string text_of(const std::vector<conf::ConfigError>& list) {
  std::string errors = conf::to_string(list);
  while (errors.ends_with('\n'))
    errors.pop_back();
  return errors;
}

constexpr std::chrono::seconds kInterfaceCheckInterval{1};

// Whether a change of this key takes effect here while running. conf::compare() says which keys
// could; what nothing carries out yet is honestly one that waits for a restart.
bool takes_effect(std::string_view key) {
  return key == "overlay.peers" || key == "overlay.port_guessing" ||
         key.starts_with("overlay.relay.") || key.starts_with("trust.") ||
         key.starts_with("firewall.") || key.starts_with("log.");
}

// All parts, in the order in which they are made; they go in the opposite order.
class Daemon {
 public:
  Daemon(const conf::Config& config, std::filesystem::path file);
  void run();

 private:
  [[nodiscard]] std::vector<engine::EnginePorts> make_ports();
  [[nodiscard]] overlay::Context context();
  [[nodiscard]] overlay::OverlaySettings overlay_settings();
  [[nodiscard]] TrustFiles read_trust(const conf::Config& config) const;
  [[nodiscard]] Result<overlay::TrustSettings> trust_settings(const TrustFiles& files) const;
  void add_lists(const TrustFiles& files);
  [[nodiscard]] Result<void> reload_trust(const conf::Config& next,
                                          overlay::control::ReloadReport& report);
  [[nodiscard]] overlay::control::Handlers handlers();
  [[nodiscard]] overlay::Status status();
  [[nodiscard]] Result<overlay::control::ReloadReport> reload();
  void set_firewall();
  void wait_for_signals();
  void watch_interface();
  void on_route(const Prefix& prefix, bool added);
  void stop(std::optional<std::string> error);

  conf::Config config_;
  const std::filesystem::path file_;
  asio::io_context io_{1};
  overlay::control::RuntimeDirectory runtime_;
  overlay::Identity identity_;
  overlay::NetworkKey network_;
  overlay::Credential credential_;
  TrustFiles trust_;
  std::unique_ptr<kni::HostLink> link_;
  const kni::TapPort* tap_ = nullptr;  // the engine's first
  Wire wire_;                          // its ports become the engine's
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<overlay::OpenDhtDirectory> directory_;
  std::unique_ptr<overlay::Overlay> overlay_;
  std::unique_ptr<overlay::Loop> loop_;
  std::unique_ptr<overlay::control::Server> server_;
  asio::signal_set signals_;
  asio::steady_timer interface_check_;
  SdNotifier notifier_ = SdNotifier::from_environment();
  std::optional<std::string> error_;
};

Daemon::Daemon(const conf::Config& config, std::filesystem::path file)
    : config_(config),
      file_(std::move(file)),
      runtime_(config.paths.runtime),
      identity_(load_identity(config)),
      network_(value_or_throw(
          overlay::NetworkKey::derive(config.network.name, config.network.secret), "network key")),
      credential_(make_credential(config, identity_)),
      trust_(read_trust(config)),
      signals_(io_, SIGTERM, SIGINT, SIGHUP),
      interface_check_(io_) {
  const engine::EngineSettings settings = engine_settings(config_);
  wire_ = make_wire(config_, settings);
  link_ = std::make_unique<kni::HostLink>(link_settings(config_));
  engine::start_eal_for(settings);
  engine_ = std::make_unique<engine::Engine>(settings, make_ports());
  directory_ = std::make_unique<overlay::OpenDhtDirectory>(
      directory_settings(config_, wire_.bound), [this](const Endpoint& to, ByteView datagram) {
        engine_->injector().send_datagram(to, datagram);
      });
  overlay_ = std::make_unique<overlay::Overlay>(context(), overlay_settings(),
                                                [this](std::string why) { stop(std::move(why)); });
  set_firewall();
  hardening::confine(hardening::confines_for(config_.wire, engine::has_physical_addresses()), file_,
                     config_.paths.state);
  loop_ = std::make_unique<overlay::Loop>(io_, engine_->punts(), *directory_, *overlay_,
                                          config_.interface.name, config_.overlay.stun,
                                          wire_.addresses);
  if (const auto port = port_to_map(config_, wire_.bound)) {
    loop_->map_port(*port);
  } else {
    overlay_->set_port_mapping({.why = port.error()}, read_clock());
  }
  if (config_.overlay.lan_discovery && wire_.is_kernels) loop_->discover_lan();
  server_ = std::make_unique<overlay::control::Server>(io_, runtime_, version(), handlers());
}

std::vector<engine::EnginePorts> Daemon::make_ports() {
  const kni::Tap& tap = link_->tap();
  std::vector<engine::EnginePorts> ports(wire_.ports.size());
  for (std::size_t i = 0; i < ports.size(); ++i) {
    auto host = std::make_unique<kni::TapPort>(
        tap.queues.at(i).get(), link_->mac(), link_->own_addresses(),
        engine::HostOffloads{.tcp = tap.tcp_segments, .udp = tap.udp_segments});
    if (i == 0) tap_ = host.get();
    ports[i] = {std::move(host), std::move(wire_.ports[i])};
  }
  return ports;
}

overlay::Context Daemon::context() {
  return {.table = engine_->table(),
          .injector = engine_->injector(),
          .sockets = &engine_->sockets(),
          .directory = *directory_,
          .identity = identity_,
          .network = network_,
          .timers = handshake_timers(),
          .suites = suites(config_, engine_->suites()),
          .lanes = lanes(config_),
          .path_mtu = kUdpPayload6,
          .link_mtu = wire_.mtu_towards,
          .credential = credential_};
}

overlay::OverlaySettings Daemon::overlay_settings() {
  std::vector<Prefix> subnets;
  for (const Prefix& own : inner_addresses(config_))
    subnets.push_back(own.masked());
  return {.network_name = config_.network.name,
          .subnets = std::move(subnets),
          .static_peers = static_peers(config_),
          .known_peers_file = config_.paths.state / "peers.json",
          .port = wire_.bound.front().port,
          .listen = wire_.bound,
          .relay = relay_settings(config_),
          .port_guessing = guessing_effort(config_),
          .trust = value_or_throw(trust_settings(trust_), "trust"),
          .revoked_file = config_.paths.state / "revoked.pem",
          .on_route = [this](const Prefix& prefix, bool added) { on_route(prefix, added); },
          .on_names =
              [this](engine::PeerIndex peer, const overlay::ProvenNames& names) {
                engine_->set_marks(peer, names_for_rules(names));
              }};
}

// What peers are to these rules is asked of the overlay, who knows them.
void Daemon::set_firewall() {
  engine_->set_firewall(
      config_.firewall, [this](const engine::firewall::RuleSet& rules, engine::PeerIndex index) {
        const overlay::Peer* const peer = overlay_->peers().by_index(index);
        return peer == nullptr ? engine::firewall::PeerMarks{}
                               : rules.marks_of(names_for_rules(peer->proven_names()));
      });
}

// Bad ones were refused before; but between then and now somebody may have changed the files.
TrustFiles Daemon::read_trust(const conf::Config& config) const {
  auto files = read_trust_files(config, file_);
  if (!files) throw std::runtime_error(text_of(files.error()));
  return std::move(*files);
}

Result<overlay::TrustSettings> Daemon::trust_settings(const TrustFiles& files) const {
  overlay::TrustSettings settings;
  if (files.authorities.empty()) return settings;
  auto authorities = overlay::x509::Authorities::make(files.authorities, files.chain);
  if (!authorities) return std::unexpected(authorities.error());
  settings.authorities = std::move(*authorities);
  const auto passport = overlay::x509::make_passport(
      files.chain, files.key.value(), identity_.signing_key(), network_.network_id());
  if (!passport) return std::unexpected(passport.error());
  auto encoded = passport->encode();
  if (!encoded) return std::unexpected(encoded.error());
  settings.passport = std::move(*encoded);
  return settings;
}

void Daemon::add_lists(const TrustFiles& files) {
  for (const auto& list : files.lists) {
    const auto added = overlay_->add_revocation_list(list, read_clock());
    if (!added) log::warning("trust.crl: {}", added.error().message);
  }
}

// The files may be others although their names are the same.
Result<void> Daemon::reload_trust(const conf::Config& next,
                                  overlay::control::ReloadReport& report) {
  auto files = read_trust_files(next, file_);
  if (!files) return fail(text_of(files.error()));
  if (!files->same_certificates(trust_)) {
    auto settings = trust_settings(*files);
    if (!settings) return std::unexpected(settings.error());
    overlay_->set_trust(std::move(*settings), read_clock());
    if (next.trust == config_.trust) report.applied.emplace_back("trust");
  }
  trust_ = std::move(*files);
  trust_.key.reset();
  config_.trust = next.trust;
  add_lists(trust_);
  loop_->kick();
  return {};
}

void Daemon::on_route(const Prefix& prefix, bool added) {
  const auto done = added ? link_->add_route(prefix) : link_->remove_route(prefix);
  if (!done) log::warning("route {}: {}", prefix.to_string(), done.error().message);
}

overlay::control::Handlers Daemon::handlers() {
  return {
      .status = [this] { return status(); },
      .peer = [this](std::string_view who) -> Result<overlay::PeerStatus> {
        const overlay::Status all = status();
        const auto found = overlay::find_peer(all.peers, who);
        if (!found) return std::unexpected(found.error());
        return **found;
      },
      .ping =
          [this](const overlay::control::PingRequest& request, overlay::control::PingSink sink) {
            Pinger::start(io_, *overlay_, request, std::move(sink));
            loop_->kick();
          },
      .reload = [this] { return reload(); },
      .stop = [this] { stop(std::nullopt); }};
}

overlay::Status Daemon::status() {
  overlay::Status status;
  status.version = version();
  for (const Prefix& own : inner_addresses(config_))
    status.addresses.push_back(own.to_string());
  status.interface = {.name = link_->name(), .mtu = link_->mtu()};
  status.engine = {.lcores = engine_->lcores(),
                   .poll = std::string(engine_->poll_mode()),
                   .wire = wire_.name,
                   .aead = std::string(engine_->aead_name()),
                   .counters = engine_->counters(),
                   .wire_events = engine_->wire_events()};
  status.firewall = firewall_status(config_.firewall, engine_->firewall_counts(read_clock().mono));
  status.hardening = hardening::hardening_status();
  overlay_->describe(status, read_clock());
  return status;
}

Result<overlay::control::ReloadReport> Daemon::reload() {
  auto loaded = conf::load_file(file_);
  if (!loaded) {
    return fail(text_of(loaded.error()));
  }
  overlay::control::ReloadReport report;
  const conf::Changes changes = conf::compare(config_, *loaded);
  for (const std::string_view key : changes.live) {
    (takes_effect(key) ? report.applied : report.needs_restart).emplace_back(key);
  }
  report.needs_restart.insert(report.needs_restart.end(), changes.need_restart.begin(),
                              changes.need_restart.end());
  if (const auto done = reload_trust(*loaded, report); !done) {
    return std::unexpected(done.error());
  }
  config_.log = loaded->log;
  log::configure(config_.log.level, config_.log.format);
  if (std::ranges::find(changes.live, "overlay.peers") != changes.live.end()) {
    config_.overlay.peers = loaded->overlay.peers;
    overlay_->set_static_peers(static_peers(config_), read_clock());
    loop_->kick();
  }
  if (config_.overlay.port_guessing != loaded->overlay.port_guessing) {
    config_.overlay.port_guessing = loaded->overlay.port_guessing;
    overlay_->set_port_guessing(guessing_effort(config_), read_clock());
    loop_->kick();
  }
  if (!(config_.overlay.relay == loaded->overlay.relay)) {
    config_.overlay.relay = loaded->overlay.relay;
    overlay_->set_relay(relay_settings(config_), read_clock());
    loop_->kick();
  }
  if (!config_.firewall.has_same_rules(loaded->firewall)) {
    config_.firewall = conf::with_live_changes(config_, *loaded).firewall;
    set_firewall();
  }
  for (const std::string& key : report.needs_restart) {
    log::warning("reload: {} changed, which takes effect at the next start", key);
  }
  return report;
}

void Daemon::wait_for_signals() {
  signals_.async_wait([this](const std::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      if (const auto report = reload(); !report) {
        log::error("reload: nothing changed: {}", report.error().message);
      }
      wait_for_signals();
    } else {
      stop(std::nullopt);
    }
  });
}

void Daemon::watch_interface() {
  interface_check_.expires_after(kInterfaceCheckInterval);
  interface_check_.async_wait([this](const std::error_code& error) {
    if (error) return;
    if (tap_->gone()) return stop("the interface " + link_->name() + " was deleted");
    if (engine_->wire_is_gone()) return stop("wire.device " + config_.wire.device + " is gone");
    watch_interface();
  });
}

void Daemon::stop(std::optional<std::string> error) {
  if (error && !error_) error_ = std::move(error);
  // Not from inside the overlay's own call: that one has to return first.
  asio::post(io_, [this] {
    static_cast<void>(notifier_.notify("STOPPING=1"));
    loop_->stop();
    io_.stop();
  });
}

void Daemon::run() {
  pthread_setname_np(pthread_self(), "ipop-overlay");
  engine_->start();
  keep_off(config_.engine.cpus);
  loop_->start();
  add_lists(trust_);
  trust_.key.reset();  // it has signed all that it had to
  wait_for_signals();
  watch_interface();
  // Not the network's name: without a secret, it is the secret.
  log::info("ipopd {} is up: {} on {}, node {}, port {}", version(),
            config_.network.address.to_string(), link_->name(), identity_.node_id().brief(),
            wire_.bound.front().port);
  if (const auto told = notifier_.notify("READY=1"); !told) {
    log::warning("{}", told.error().message);
  }
  io_.run();
  server_.reset();
  engine_->stop();
  if (error_) throw std::runtime_error(*error_);
  log::info("ipopd has stopped");
}

}  // namespace

void run_daemon(const conf::Config& config, const std::filesystem::path& file) {
  if (sodium_init() < 0) throw std::runtime_error("libsodium does not start");
  log::configure(config.log.level, config.log.format);
  // A peer or a client that goes away is an error of a write, never a signal.
  std::signal(SIGPIPE, SIG_IGN);
  hardening::keep_memory_private();
  Daemon(config, file).run();
}

}  // namespace ipop::app
