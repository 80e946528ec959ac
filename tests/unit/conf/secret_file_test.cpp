#include "conf/secret_file.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <fstream>

#include "conf/load.hpp"

namespace ipop::conf {
namespace {

class SecretFile : public testing::Test {
 protected:
  void SetUp() override {
    std::string folder = "/tmp/ipop-secret-test-XXXXXX";
    ASSERT_NE(::mkdtemp(folder.data()), nullptr);
    folder_ = folder;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& content, mode_t mode = 0600) {
    const std::filesystem::path file = folder_ / "secret";
    std::filesystem::remove(file);
    std::ofstream(file, std::ios::binary) << content;
    ::chmod(file.c_str(), mode);
    return file;
  }

  // What loading a configuration next to the secret gives, with `keys` in its network section.
  Loaded load(const std::string& keys) {
    return load_text("network: {name: n, address: 10.0.0.1/24, " + keys + "}\n",
                     folder_ / "ipop.yaml");
  }

  std::filesystem::path folder_;
};

TEST_F(SecretFile, LosesOneLineEnd) {
  EXPECT_EQ(*read_secret_file(write("sesame")), "sesame");
  EXPECT_EQ(*read_secret_file(write("sesame\n")), "sesame");
  EXPECT_EQ(*read_secret_file(write("sesame\r\n")), "sesame");
  EXPECT_EQ(*read_secret_file(write("two\nlines\n\n")), "two\nlines\n");
  EXPECT_EQ(*read_secret_file(write(std::string(1024, 's') + "\n")), std::string(1024, 's'));
}

TEST_F(SecretFile, IsRefusedWhenEmptyOrTooLong) {
  for (const char* content : {"", "\n", "\r\n"}) {
    const auto secret = read_secret_file(write(content));
    ASSERT_FALSE(secret);
    EXPECT_TRUE(secret.error().message.ends_with("\" is empty")) << secret.error().message;
  }
  for (const std::size_t size : {1025u, 1027u, 100000u}) {
    const auto secret = read_secret_file(write(std::string(size, 's')));
    ASSERT_FALSE(secret);
    EXPECT_TRUE(secret.error().message.ends_with("has more than 1024 bytes"));
  }
}

TEST_F(SecretFile, IsRefusedWhenOpenToOthers) {
  for (const mode_t mode : {0640, 0604, 0620, 0602, 0644}) {
    const auto secret = read_secret_file(write("sesame", mode));
    ASSERT_FALSE(secret) << std::oct << mode;
    EXPECT_TRUE(secret.error().message.ends_with("is open to others than its owner; chmod 600 it"));
  }
  EXPECT_TRUE(read_secret_file(write("sesame", 0400)));
}

TEST_F(SecretFile, IsRefusedWhenItIsNoFile) {
  EXPECT_TRUE(read_secret_file(folder_ / "none")
                  .error()
                  .message.ends_with("none\": No such file or directory"));
  EXPECT_TRUE(read_secret_file(folder_).error().message.ends_with("is not a regular file"));
  ASSERT_EQ(::mkfifo((folder_ / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(read_secret_file(folder_ / "pipe").error().message.ends_with("not a regular file"));
}

TEST_F(SecretFile, IsLookedForInTheFolderOfTheConfiguration) {
  const std::filesystem::path file = write("sesame\n");
  EXPECT_EQ(load("secret_file: secret")->network.secret, "sesame");
  EXPECT_EQ(load("secret_file: " + file.string())->network.secret, "sesame");
}

TEST_F(SecretFile, ReportsItsErrorsAtItsKey) {
  write("sesame", 0644);
  const std::string file = (folder_ / "ipop.yaml").string();
  EXPECT_EQ(to_string(load("secret_file: secret").error()),
            file + ":1:55: network.secret_file: \"" + (folder_ / "secret").string() +
                "\" is open to others than its owner; chmod 600 it\n");
  EXPECT_EQ(to_string(load("secret: open, secret_file: secret").error()),
            file +
                ":1:69: network.secret_file: the secret is given twice, here and by "
                "network.secret\n");
}

}  // namespace
}  // namespace ipop::conf
