#include "app/run_ipopd.hpp"

#include <CLI/CLI.hpp>
#include <exception>
#include <ostream>
#include <sstream>

#include "app/trust_files.hpp"
#include "app/version.hpp"
#include "conf/load.hpp"

namespace ipop::app {

int run_ipopd(int argc, const char* const* argv, const RunDaemon& daemon, std::ostream& out,
              std::ostream& err) {
  CLI::App app("The daemon of IPOP. It stays in the foreground; `ipop up` puts it behind.",
               "ipopd");
  std::filesystem::path file = "/etc/ipop/ipop.yaml";
  bool check = false;
  app.add_option("--config", file, "The configuration")->capture_default_str();
  app.add_flag("--check", check, "Only say whether the configuration is good");
  app.set_version_flag("--version", std::string("ipopd ") + version());
  try {
    app.parse(argc, argv);
    const auto config = conf::load_file(file);
    if (!config) {
      err << to_string(config.error());
      return 2;
    }
    if (const auto trust = read_trust_files(*config, file); !trust) {
      err << conf::to_string(trust.error());
      return 2;
    }
    if (check) {
      out << file.string() << ": ok\n";
      return 0;
    }
    daemon(*config, std::filesystem::absolute(file));
    return 0;
  } catch (const CLI::ParseError& error) {
    // --help and --version come this way too, with exit code 0.
    std::ostringstream shown;
    std::ostringstream wrong;
    const bool asked = app.exit(error, shown, wrong) == 0;
    out << shown.str();
    if (!asked) err << "ipopd: " << wrong.str();
    return asked ? 0 : 2;
  } catch (const std::exception& error) {
    err << "ipopd: " << error.what() << '\n';
    return 1;
  }
}

}  // namespace ipop::app
