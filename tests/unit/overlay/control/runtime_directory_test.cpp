#include "overlay/control/runtime_directory.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>
#include <optional>
#include <stdexcept>

#include "tests/support/temporary_directory.hpp"

namespace ipop::overlay::control {
namespace {

namespace fs = std::filesystem;

std::string failure_of(const fs::path& directory) {
  try {
    const RuntimeDirectory runtime(directory);
    return "no failure";
  } catch (const std::runtime_error& error) {
    return error.what();
  }
}

TEST(RuntimeDirectory, IsMadeWithItsParents) {
  const TemporaryDirectory temporary;
  const fs::path path = temporary.path() / "run" / "ipop";
  const RuntimeDirectory runtime(path);
  EXPECT_EQ(fs::status(path).permissions(), static_cast<fs::perms>(0755));
  EXPECT_EQ(fs::status(path / "lock").permissions(), static_cast<fs::perms>(0600));
}

TEST(RuntimeDirectory, IsInUseExactlyWhileItIsHeld) {
  const TemporaryDirectory temporary;
  EXPECT_FALSE(*RuntimeDirectory::is_in_use(temporary.path() / "nowhere"));
  EXPECT_FALSE(*RuntimeDirectory::is_in_use(temporary.path()));
  std::optional<RuntimeDirectory> runtime(temporary.path());
  EXPECT_TRUE(*RuntimeDirectory::is_in_use(temporary.path()));
  EXPECT_TRUE(*RuntimeDirectory::is_in_use(temporary.path()));
  runtime.reset();
  EXPECT_FALSE(*RuntimeDirectory::is_in_use(temporary.path()));
}

TEST(RuntimeDirectory, IsRefusedToASecondDaemon) {
  const TemporaryDirectory temporary;
  std::optional<RuntimeDirectory> runtime(temporary.path());
  EXPECT_EQ(failure_of(temporary.path()),
            "another ipopd runs with the runtime directory " + temporary.path().string());
  runtime.reset();
  EXPECT_EQ(failure_of(temporary.path()), "no failure");
}

TEST(RuntimeDirectory, SaysWhyItCannotBeMade) {
  const TemporaryDirectory temporary;
  const fs::path file = temporary.path() / "file";
  std::ofstream(file) << "in the way";
  EXPECT_NE(failure_of(file / "ipop").find("making the runtime directory"), std::string::npos);
  EXPECT_NE(failure_of(file).find(file.string()), std::string::npos);
}

}  // namespace
}  // namespace ipop::overlay::control
