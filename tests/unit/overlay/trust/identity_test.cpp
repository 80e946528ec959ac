#include "overlay/trust/identity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace ipop::overlay {
namespace {

using testing::HasSubstr;

ByteView bytes_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

void write_key(const std::filesystem::path& file, std::string_view content, mode_t mode) {
  std::ofstream(file) << content;
  ASSERT_EQ(::chmod(file.c_str(), mode), 0);
}

// RFC 8032 §7.1, test 1; the rest computed from it with another implementation.
constexpr std::string_view kSeedLine = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=\n";
constexpr std::string_view kPublicKey =
    "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
constexpr std::string_view kExchangeKey =
    "d85e07ec22b0ad881537c2f44d662d1a143cf830c57aca4305d85c7a90f6b62e";
constexpr std::string_view kNodeId = "8019f660f5fbfd410e4af8ea9d7dc8aa5051d37b";

TEST(Identity, DerivesTheKeysOfAKnownSeed) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "node.key";
  write_key(file, kSeedLine, 0600);
  const auto identity = Identity::load(file);
  ASSERT_TRUE(identity) << identity.error().message;
  EXPECT_EQ(to_hex(identity->signing_key()), kPublicKey);
  EXPECT_EQ(to_hex(identity->exchange_key()), kExchangeKey);
  EXPECT_EQ(identity->node_id().to_string(), kNodeId);
  EXPECT_EQ(identity->node_id().brief(), kNodeId.substr(0, 8));
}

TEST(Identity, TheExchangeKeyFollowsFromThePublicSigningKey) {
  const Identity identity = Identity::generate();
  EXPECT_EQ(exchange_key_of(identity.signing_key()).value(), identity.exchange_key());
}

TEST(Identity, RefusesAPublicKeyThatIsNoPointOfFullOrder) {
  EXPECT_FALSE(exchange_key_of(SigningPublicKey{}));
  SigningPublicKey neutral{1};
  EXPECT_FALSE(exchange_key_of(neutral));
  SigningPublicKey all;
  all.fill(0xff);
  EXPECT_FALSE(exchange_key_of(all));
}

TEST(Identity, SignsWhatOthersCanVerify) {
  const Identity alice = Identity::generate();
  const Identity bob = Identity::generate();
  Signature signature = alice.sign(bytes_of("hello"));
  EXPECT_TRUE(verify(alice.signing_key(), bytes_of("hello"), signature));
  EXPECT_FALSE(verify(alice.signing_key(), bytes_of("hellO"), signature));
  EXPECT_FALSE(verify(bob.signing_key(), bytes_of("hello"), signature));
  signature[63] ^= 1;
  EXPECT_FALSE(verify(alice.signing_key(), bytes_of("hello"), signature));
}

TEST(Identity, SavesToAFileThatLoadsAgain) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "node.key";
  const Identity identity = Identity::generate();
  ASSERT_TRUE(identity.save(file));
  struct stat status {};
  ASSERT_EQ(::stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600u);
  EXPECT_EQ(Identity::load(file).value().signing_key(), identity.signing_key());
}

TEST(Identity, NeverOverwritesAKey) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "node.key";
  const Identity first = Identity::generate();
  ASSERT_TRUE(first.save(file));
  EXPECT_FALSE(Identity::generate().save(file));
  EXPECT_EQ(Identity::load(file).value().node_id(), first.node_id());
}

TEST(Identity, RefusesAKeyThatOthersMayReadAndSaysWhatToDo) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "node.key";
  for (const mode_t mode : {0640u, 0604u, 0620u, 0601u}) {
    write_key(file, kSeedLine, mode);
    const auto identity = Identity::load(file);
    ASSERT_FALSE(identity) << mode;
    EXPECT_THAT(identity.error().message, HasSubstr("chmod 600 " + file.string()));
  }
}

TEST(Identity, RefusesWhatIsNotOneLineOfBase64Of32Bytes) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "node.key";
  const std::string line(kSeedLine.substr(0, kSeedLine.size() - 1));
  for (const std::string& content :
       {std::string(), std::string("\n"), line.substr(1), line.substr(0, line.size() - 1),
        "AAAA" + line, line + "\n\n", line + " ", line + line, std::string(1000, 'A'),
        std::string("not a key at all, but some words of text!!!")}) {
    write_key(file, content, 0600);
    const auto identity = Identity::load(file);
    ASSERT_FALSE(identity) << content;
    EXPECT_THAT(identity.error().message, HasSubstr("not a node key")) << content;
  }
  write_key(file, line, 0600);  // the line's end may be missing
  EXPECT_TRUE(Identity::load(file));
}

TEST(Identity, NamesTheFileThatIsMissingOrNoFile) {
  const TemporaryDirectory directory;
  const auto file = directory.path() / "node.key";
  const auto missing = Identity::load(file);
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr(file.string()));
  EXPECT_FALSE(Identity::load(directory.path()));
}

}  // namespace
}  // namespace ipop::overlay
