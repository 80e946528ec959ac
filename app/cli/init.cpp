#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ostream>

#include "app/cli/command.hpp"
#include "app/cli/init_files.hpp"
#include "base/ip.hpp"
#include "base/text.hpp"
#include "conf/load.hpp"
#include "conf/render.hpp"
#include "overlay/trust/identity.hpp"
#include "overlay/trust/state_file.hpp"

namespace ipop::app {
namespace {

namespace fs = std::filesystem;
using overlay::Identity;

constexpr std::size_t kShortName = 16;

struct InitOptions {
  std::string network;
  std::string address;
  std::string secret;
  std::string hostname;
  fs::path config = "/etc/ipop/ipop.yaml";
  fs::path state = "/var/lib/ipop";
  std::vector<std::string> bootstrap;
  std::vector<std::string> listen;
};

// "20" is 192.168.10.20/24, the tutorial's network; anything else is an address with its length.
Prefix parse_address(const std::string& text) {
  const bool is_number =
      !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (is_number) {
    unsigned octet = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), octet);
    if (error != std::errc{} || octet < 1 || octet > 254) {
      throw UsageError("the last octet is a number from 1 to 254, not " + text);
    }
    return Prefix{IpAddress::v4(0xc0a80a00u + octet), 24};
  }
  const auto prefix = Prefix::parse(text);
  if (!prefix || !prefix->address.is_v4() || text.find('/') == std::string::npos) {
    throw UsageError("the address is a number from 1 to 254, or like 192.168.10.10/24, not " +
                     text);
  }
  return *prefix;
}

std::string render(const InitOptions& options, const Context& context, const Prefix& address) {
  const conf::InitialSettings settings{.network = options.network,
                                       .secret = options.secret,
                                       .address = address,
                                       .hostname = options.hostname,
                                       .bootstrap = options.bootstrap,
                                       .listen = options.listen,
                                       .state = fs::absolute(options.state).string(),
                                       .runtime = fs::absolute(context.runtime).string()};
  try {
    return conf::render_initial(settings);
  } catch (const std::runtime_error& error) {
    throw UsageError(error.what());
  }
}

void refuse_to_overwrite(const fs::path& file, std::string_view what) {
  if (fs::symlink_status(file).type() == fs::file_type::not_found) return;
  throw std::runtime_error(fmt::format(
      "{} is there already, and {} is not overwritten: nothing was changed", file.string(), what));
}

// As a shell takes it for one word.
std::string shell_word(const std::string& text) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/._-+:@%";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos) return text;
  std::string word = "'";
  for (const char letter : text) {
    if (letter == '\'') {
      word += "'\\''";
    } else {
      word += letter;
    }
  }
  return word + "'";
}

void print_next(Context& context, const InitOptions& options, const Prefix& address) {
  const bool usual = options.config == InitOptions{}.config;
  context.out << fmt::format("\nNext: ipop up{}\n",
                             usual ? "" : " --config " + shell_word(options.config.string()));
  context.out << fmt::format(
      "On the other machines: the same `ipop init`, each with an address of its own in {}.\n",
      address.masked().to_string());
}

void init(Context& context, const InitOptions& options) {
  if (options.network.empty()) throw UsageError("the network needs a name");
  const Prefix address = parse_address(options.address);
  const std::string text = render(options, context, address);
  const fs::path key_file = options.state / "node.key";
  refuse_to_overwrite(options.config, "a configuration");
  refuse_to_overwrite(key_file, "a key");

  NewFiles files;
  files.make_directory(fs::absolute(options.config).parent_path(), static_cast<fs::perms>(0755));
  files.make_directory(options.state, static_cast<fs::perms>(0700));
  const Identity identity = Identity::generate();
  or_throw(identity.save(key_file));
  files.made(key_file);
  // It holds the network's name and secret, which are its key: for the owner's eyes only.
  or_throw(overlay::write_state_file(options.config, text, overlay::IfExists::kRefuse));
  files.keep();

  context.out << fmt::format("wrote {}: the configuration\n", options.config.string());
  context.out << fmt::format("wrote {}: this node's private key\n", key_file.string());
  context.out << fmt::format("node id {}, public key {}\n", identity.node_id().to_string(),
                             to_base64(identity.exchange_key()));
  context.out << fmt::format("address {}\n", address.to_string());
  if (options.secret.empty() && options.network.size() < kShortName) {
    context.err << fmt::format(
        "ipop: warning: whoever guesses the name of the network can join it, and this one is "
        "short: choose a name of {} characters or more, or use --secret\n",
        kShortName);
  }
  print_next(context, options, address);
}

}  // namespace

void add_init(CLI::App& app, Context& context) {
  const auto options = std::make_shared<InitOptions>();
  CLI::App* command =
      app.add_subcommand("init", "Make this machine's key and configuration for a network");
  command->add_option("network", options->network, "The network's name: the same on all machines")
      ->required();
  command
      ->add_option("address", options->address,
                   "This machine's address in it: 20 for 192.168.10.20/24, or like 10.1.2.3/16")
      ->required();
  command->add_option("--secret", options->secret,
                      "The network's secret: the same on all machines. Without one, the name is "
                      "the secret");
  command->add_option("--hostname", options->hostname, "This machine's name in the network");
  command
      ->add_option("--bootstrap", options->bootstrap,
                   "host:port of a DHT node to join by; may be repeated")
      ->allow_extra_args(false);
  command
      ->add_option("--listen", options->listen,
                   "address:port to receive on, like 0.0.0.0:4545; may be repeated")
      ->allow_extra_args(false);
  command->add_option("--config", options->config, "The configuration to write")
      ->capture_default_str();
  command->add_option("--state", options->state, "The folder for the key and what is remembered")
      ->capture_default_str();
  command->callback([&context, options] { init(context, *options); });
}

}  // namespace ipop::app
