#include "app/cli/run.hpp"

#include <ostream>
#include <sstream>

#include "app/version.hpp"

namespace ipop::app {
namespace {

void add_commands(CLI::App& app, Context& context) {
  add_init(app, context);
  add_up(app, context);
  add_down(app, context);
  add_status(app, context);
  add_peers(app, context);
  add_netcheck(app, context);
  add_doctor(app, context);
  add_ping(app, context);
  add_reload(app, context);
  add_ca(app, context);
  add_firewall(app, context);
  add_version(app, context);
}

}  // namespace

int run_ipop(int argc, const char* const* argv, Context context) {
  CLI::App app("ipop joins machines in different networks into one virtual network.", "ipop");
  app.set_version_flag("--version", std::string("ipop ") + version());
  app.require_subcommand(1);
  app.fallthrough();  // subcommands inherit it: --runtime may stand behind them too
  CLI::Option* runtime =
      app.add_option("--runtime", context.runtime, "The runtime directory of the daemon")
          ->envname("IPOP_RUNTIME")
          ->capture_default_str();
  // Called when all options are read, and before the subcommand.
  app.parse_complete_callback([&] { context.runtime_given = runtime->count() > 0; });
  add_commands(app, context);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // --help and --version come this way too, with exit code 0.
    std::ostringstream out;
    std::ostringstream err;
    const bool asked = app.exit(error, out, err) == 0;
    context.out << out.str();
    if (asked) return kSuccess;
    context.err << "ipop: " << err.str();
    return kUsage;
  } catch (const UsageError& error) {
    context.err << "ipop: " << error.what() << '\n';
    return kUsage;
  } catch (const std::exception& error) {
    context.err << "ipop: " << error.what() << '\n';
    return kFailure;
  }
  return context.exit_code;
}

}  // namespace ipop::app
