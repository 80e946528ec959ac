#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "app/cli/init_files.hpp"
#include "conf/load.hpp"
#include "overlay/trust/identity.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/app/command_line.hpp"

namespace ipop::app {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class Init : public ::testing::Test {
 protected:
  Outcome init(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "init");
    for (const std::string& more :
         {std::string("--config"), config_.string(), std::string("--state"), state_.string(),
          std::string("--runtime"), (root() / "run").string()}) {
      arguments.push_back(more);
    }
    return ipop(arguments);
  }

  static std::string content(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }

  [[nodiscard]] const fs::path& root() const { return temporary_.path(); }

  TemporaryDirectory temporary_;
  fs::path config_ = temporary_.path() / "etc" / "ipop" / "ipop.yaml";
  fs::path state_ = temporary_.path() / "var" / "lib" / "ipop";
};

TEST_F(Init, WritesAConfigurationAndAKeyForTheOwnerAlone) {
  const Outcome outcome = init({"ipop_tutorial_05_21_2013_your_name", "10"});
  EXPECT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(fs::status(config_).permissions(), static_cast<fs::perms>(0600));
  EXPECT_EQ(fs::status(state_ / "node.key").permissions(), static_cast<fs::perms>(0600));
  EXPECT_EQ(fs::status(state_).permissions(), static_cast<fs::perms>(0700));
  EXPECT_EQ(fs::status(state_.parent_path()).permissions(), static_cast<fs::perms>(0755));

  const auto loaded = conf::load_file(config_);
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  EXPECT_EQ(loaded->network.name, "ipop_tutorial_05_21_2013_your_name");
  EXPECT_EQ(loaded->network.secret, "");
  EXPECT_EQ(loaded->network.address.to_string(), "192.168.10.10/24");
  EXPECT_EQ(loaded->paths.state, state_);
  EXPECT_EQ(loaded->paths.runtime, root() / "run");

  const auto identity = overlay::Identity::load(state_ / "node.key");
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_THAT(outcome.out, HasSubstr(identity->node_id().to_string()));
  EXPECT_THAT(outcome.out, HasSubstr("Next: ipop up --config " + config_.string()));
}

TEST_F(Init, PassesOnAllThatItWasTold) {
  const Outcome outcome = init({"tutorial", "10.1.2.3/16", "--secret", "between us", "--hostname",
                                "alice", "--bootstrap", "10.9.9.1:4222", "--bootstrap",
                                "dht.example:4223", "--listen", "0.0.0.0:5555"});
  ASSERT_EQ(outcome.code, 0) << outcome.err;
  EXPECT_EQ(outcome.err, "");
  const auto loaded = conf::load_file(config_);
  ASSERT_TRUE(loaded) << to_string(loaded.error());
  EXPECT_EQ(loaded->network.secret, "between us");
  EXPECT_EQ(loaded->network.address.to_string(), "10.1.2.3/16");
  EXPECT_EQ(loaded->network.hostname, "alice");
  ASSERT_EQ(loaded->overlay.bootstrap.size(), 2u);
  EXPECT_EQ(loaded->overlay.bootstrap[1].host, "dht.example");
  ASSERT_EQ(loaded->overlay.listen.size(), 1u);
  EXPECT_EQ(loaded->overlay.listen[0].to_string(), "0.0.0.0:5555");
}

TEST_F(Init, MakesADifferentKeyEachTime) {
  ASSERT_EQ(init({"a network of some length", "10"}).code, 0);
  const std::string first = content(state_ / "node.key");
  fs::remove_all(state_);
  fs::remove(config_);
  ASSERT_EQ(init({"a network of some length", "10"}).code, 0);
  EXPECT_NE(content(state_ / "node.key"), first);
}

TEST_F(Init, WarnsOfANameThatIsEasyToGuess) {
  const Outcome outcome = init({"home", "10"});
  EXPECT_EQ(outcome.code, 0);
  EXPECT_THAT(outcome.err, HasSubstr("whoever guesses the name"));
}

TEST_F(Init, RefusesWhatIsNoAddressAndMakesNothing) {
  for (const char* address : {"0", "255", "256", "99999999999999999999", "-1", "", "10.0.0.1",
                              "10.0.0.1/33", "10.0.0/24", "fd00::1/64", "bob", "10.0.0.0/24",
                              "10.0.0.255/24", "127.0.0.1/8", "224.0.0.1/4", "0.0.0.0/0"}) {
    const Outcome outcome = init({"a network of some length", "--", address});
    EXPECT_EQ(outcome.code, 2) << address;
    EXPECT_NE(outcome.err, "") << address;
    EXPECT_TRUE(fs::is_empty(root())) << address;
  }
}

TEST_F(Init, RefusesSettingsThatTheDaemonWouldRefuse) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"", "10"},
           {std::string(129, 'x'), "10"},
           {"two\nlines of a name", "10"},
           {"tutorial", "10", "--hostname", "no spaces"},
           {"tutorial", "10", "--bootstrap", "no port"},
           {"tutorial", "10", "--listen", "0.0.0.0"},
       }) {
    const Outcome outcome = init(arguments);
    EXPECT_EQ(outcome.code, 2) << ::testing::PrintToString(arguments);
    EXPECT_TRUE(fs::is_empty(root())) << ::testing::PrintToString(arguments);
  }
}

TEST_F(Init, OverwritesNeitherFile) {
  fs::create_directories(config_.parent_path());
  std::ofstream(config_) << "precious";
  Outcome outcome = init({"a network of some length", "10"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr(config_.string() + " is there already"));
  EXPECT_EQ(content(config_), "precious");
  EXPECT_FALSE(fs::exists(state_));

  fs::remove(config_);
  fs::create_directories(state_);
  std::ofstream(state_ / "node.key") << "precious";
  outcome = init({"a network of some length", "10"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("node.key is there already"));
  EXPECT_EQ(content(state_ / "node.key"), "precious");
  EXPECT_FALSE(fs::exists(config_));
}

TEST_F(Init, OverwritesNoLinkThatLeadsNowhere) {
  fs::create_directories(config_.parent_path());
  fs::create_symlink(root() / "nowhere", config_);
  EXPECT_EQ(init({"a network of some length", "10"}).code, 1);
  EXPECT_FALSE(fs::exists(root() / "nowhere"));
}

TEST_F(Init, LeavesNothingWhenAFolderCannotBeMade) {
  std::ofstream(root() / "var") << "in the way";
  const Outcome outcome = init({"a network of some length", "10"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr((root() / "var").string()));
  EXPECT_FALSE(fs::exists(root() / "etc"));
}

TEST_F(Init, RemovesTheKeyWhenTheConfigurationCannotBeWritten) {
  // A name that the file system takes no file of; the folder is good.
  config_ = config_.parent_path() / std::string(300, 'x');
  const Outcome outcome = init({"a network of some length", "10"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_TRUE(fs::is_empty(root())) << outcome.err;
}

TEST_F(Init, LeavesFoldersThatWereThereBefore) {
  fs::create_directories(state_);
  fs::permissions(state_, static_cast<fs::perms>(0750));
  config_ = config_.parent_path() / std::string(300, 'x');
  EXPECT_EQ(init({"a network of some length", "10"}).code, 1);
  EXPECT_TRUE(fs::is_directory(state_));
  EXPECT_TRUE(fs::is_empty(state_));
  EXPECT_EQ(fs::status(state_).permissions(), static_cast<fs::perms>(0750));
}

TEST(NewFiles, KeepsAFolderThatSomebodyUsesMeanwhile) {
  const TemporaryDirectory temporary;
  {
    NewFiles files;
    files.make_directory(temporary.path() / "a" / "b", static_cast<fs::perms>(0700));
    std::ofstream(temporary.path() / "a" / "theirs") << "precious";
  }
  EXPECT_FALSE(fs::exists(temporary.path() / "a" / "b"));
  EXPECT_TRUE(fs::exists(temporary.path() / "a" / "theirs"));
}

}  // namespace
}  // namespace ipop::app
