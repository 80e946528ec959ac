#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <stdexcept>

#include "app/run_ipopd.hpp"
#include "tests/support/temporary_directory.hpp"

namespace ipop::app {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class Ipopd : public ::testing::Test {
 protected:
  Ipopd() {
    std::ofstream(good_) << "network: {name: a network of some length, address: 10.1.1.1/24}\n";
    std::ofstream(bad_) << "network: {nam: x}\nengien: {}\n";
  }

  int run(const std::vector<std::string>& arguments) {
    std::vector<const char*> argv{"ipopd"};
    for (const std::string& argument : arguments)
      argv.push_back(argument.c_str());
    std::ostringstream out;
    std::ostringstream err;
    const int code = run_ipopd(
        static_cast<int>(argv.size()), argv.data(),
        [this](const conf::Config& config, const fs::path& file) {
          started_ = config.network.address.to_string() + " " + file.string();
          if (!failure_.empty()) throw std::runtime_error(failure_);
        },
        out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }

  TemporaryDirectory temporary_;
  fs::path good_ = temporary_.path() / "good.yaml";
  fs::path bad_ = temporary_.path() / "bad.yaml";
  std::string failure_;
  std::string started_;
  std::string out_;
  std::string err_;
};

TEST_F(Ipopd, RunsWithAGoodConfiguration) {
  EXPECT_EQ(run({"--config", good_.string()}), 0);
  EXPECT_EQ(started_, "10.1.1.1/24 " + good_.string());
  EXPECT_EQ(err_, "");
}

TEST_F(Ipopd, OnlyChecksWhenAsked) {
  EXPECT_EQ(run({"--check", "--config", good_.string()}), 0);
  EXPECT_EQ(out_, good_.string() + ": ok\n");
  EXPECT_EQ(started_, "");
}

TEST_F(Ipopd, ListsEveryErrorOfTheConfiguration) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"--config", bad_.string()}, {"--config", bad_.string(), "--check"}}) {
    EXPECT_EQ(run(arguments), 2);
    EXPECT_THAT(err_, StartsWith(bad_.string() + ":1:"));
    EXPECT_THAT(err_, HasSubstr(bad_.string() + ":2:"));
    EXPECT_TRUE(err_.ends_with('\n') && !err_.ends_with("\n\n")) << err_;
    EXPECT_EQ(out_, "");
    EXPECT_EQ(started_, "");
  }
}

TEST_F(Ipopd, SaysThatTheConfigurationIsNotThere) {
  EXPECT_EQ(run({"--config", (temporary_.path() / "none.yaml").string()}), 2);
  EXPECT_THAT(err_, HasSubstr("none.yaml"));
}

TEST_F(Ipopd, EndsWithTwoWhenItIsNotUnderstood) {
  for (const char* argument : {"--fast", "now", "--config"}) {
    EXPECT_EQ(run({argument}), 2) << argument;
    EXPECT_THAT(err_, StartsWith("ipopd: ")) << argument;
  }
}

TEST_F(Ipopd, ShowsHelpAndVersion) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(out_, HasSubstr("--check"));
  EXPECT_EQ(run({"--version"}), 0);
  EXPECT_THAT(out_, StartsWith("ipopd "));
  EXPECT_EQ(err_, "");
}

TEST_F(Ipopd, TurnsAFailureIntoASentence) {
  failure_ = "opening /dev/net/tun: Permission denied";
  EXPECT_EQ(run({"--config", good_.string()}), 1);
  EXPECT_EQ(err_, "ipopd: opening /dev/net/tun: Permission denied\n");
}

}  // namespace
}  // namespace ipop::app
