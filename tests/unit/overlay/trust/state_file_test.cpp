#include "overlay/trust/state_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temporary_directory.hpp"

namespace ipop::overlay {
namespace {

using testing::HasSubstr;

std::size_t files_in(const std::filesystem::path& directory) {
  return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator(directory), {}));
}

TEST(StateFile, ReadsBackWhatWasWritten) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "state";
  ASSERT_TRUE(write_state_file(file, "one\n", IfExists::kRefuse));
  ASSERT_TRUE(write_state_file(file, "two\n", IfExists::kReplace));
  EXPECT_EQ(read_state_file(file, 4).value(), "two\n");
  EXPECT_EQ(files_in(directory.path()), 1u);
}

TEST(StateFile, IsOnlyForItsOwner) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "state";
  ASSERT_TRUE(write_state_file(file, "x", IfExists::kReplace));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
}

TEST(StateFile, RefusesToOverwriteAndLeavesNothingBehind) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "state";
  ASSERT_TRUE(write_state_file(file, "first", IfExists::kRefuse));
  const auto again = write_state_file(file, "second", IfExists::kRefuse);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("exists already"));
  EXPECT_EQ(read_state_file(file, 100).value(), "first");
  EXPECT_EQ(files_in(directory.path()), 1u);
}

TEST(StateFile, NamesTheFileThatCannotBeMade) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "missing" / "state";
  const auto written = write_state_file(file, "x", IfExists::kReplace);
  ASSERT_FALSE(written);
  EXPECT_THAT(written.error().message, HasSubstr(file.string()));
}

TEST(StateFile, RefusesToReadWhatIsTooLongOrNoFile) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "state";
  ASSERT_TRUE(write_state_file(file, "12345", IfExists::kRefuse));
  EXPECT_FALSE(read_state_file(file, 4));
  EXPECT_FALSE(read_state_file(directory.path(), 4));
  EXPECT_FALSE(read_state_file(directory.path() / "missing", 4));
  const auto fifo = directory.path() / "fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_FALSE(read_state_file(fifo, 4));
}

}  // namespace
}  // namespace ipop::overlay
