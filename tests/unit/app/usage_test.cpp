#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/temporary_directory.hpp"
#include "tests/unit/app/command_line.hpp"

namespace ipop::app {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(CommandLine, EndsWithTwoWhenItIsNotUnderstood) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {},
           {"fly"},
           {"--fast", "status"},
           {"status", "--jsn"},
           {"status", "bob", "carol"},
           {"init"},
           {"init", "tutorial"},
           {"ping"},
           {"ping", "10.0.0.1", "-c", "0"},
           {"ping", "10.0.0.1", "-c", "many"},
           {"ping", "10.0.0.1", "-c", "10001"},
           {"down", "now"},
           {"up", "down"},
       }) {
    const Outcome outcome = ipop(arguments);
    EXPECT_EQ(outcome.code, 2) << ::testing::PrintToString(arguments);
    EXPECT_THAT(outcome.err, StartsWith("ipop: ")) << ::testing::PrintToString(arguments);
    EXPECT_EQ(outcome.out, "") << ::testing::PrintToString(arguments);
  }
}

TEST(CommandLine, ShowsHelpAndVersionOnStandardOutput) {
  for (const char* option : {"--help", "--version"}) {
    const Outcome outcome = ipop({option});
    EXPECT_EQ(outcome.code, 0);
    EXPECT_EQ(outcome.err, "");
    EXPECT_THAT(outcome.out, HasSubstr("ipop"));
  }
  EXPECT_THAT(ipop({"init", "--help"}).out, HasSubstr("--secret"));
}

TEST(CommandLine, SaysThatNoDaemonRuns) {
  const TemporaryDirectory temporary;
  const std::string runtime = temporary.path().string();
  const std::string answer = "ipop: no ipopd answers at " + runtime +
                             "/control.sock: is it running? start it with `ipop up`\n";
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--runtime", runtime, "status"},
           {"status", "--runtime", runtime},
           {"status", "bob", "--json", "--runtime", runtime},
           {"peers", "--runtime", runtime},
           {"ping", "10.0.0.1", "--runtime", runtime},
           {"ping", "bob", "--runtime", runtime},
           {"reload", "--runtime", runtime},
       }) {
    const Outcome outcome = ipop(arguments);
    EXPECT_EQ(outcome.code, 1) << ::testing::PrintToString(arguments);
    EXPECT_EQ(outcome.err, answer) << ::testing::PrintToString(arguments);
  }
}

TEST(CommandLine, TakesTheRuntimeDirectoryFromTheEnvironment) {
  const TemporaryDirectory temporary;
  ::setenv("IPOP_RUNTIME", temporary.path().c_str(), 1);
  const Outcome environment = ipop({"status"});
  const Outcome option = ipop({"status", "--runtime", "/nowhere"});
  ::unsetenv("IPOP_RUNTIME");
  EXPECT_THAT(environment.err, HasSubstr(temporary.path().string() + "/control.sock"));
  EXPECT_THAT(option.err, HasSubstr("/nowhere/control.sock"));
}

TEST(CommandLine, ShowsItsOwnVersionWithoutADaemon) {
  const TemporaryDirectory temporary;
  const Outcome outcome = ipop({"version", "--runtime", temporary.path().string()});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.out, ::testing::MatchesRegex("ipop [0-9.]+\n"));
}

}  // namespace
}  // namespace ipop::app
