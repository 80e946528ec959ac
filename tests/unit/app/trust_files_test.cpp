#include "app/trust_files.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "conf/load.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/openssl_command.hpp"
#include "tests/support/temporary_directory.hpp"

namespace ipop::app {
namespace {

namespace fs = std::filesystem;
using namespace overlay::x509;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class TrustFilesOf : public ::testing::Test {
 protected:
  TrustFilesOf() {
    write("cacert.pem", ca_.certificate().pem());
    write("host-cert.pem", alice_.certificate.pem());
    write("host-key.pem", alice_.key.pem());
    fs::permissions(folder_.path() / "host-key.pem", static_cast<fs::perms>(0600));
  }

  void write(const std::string& name, const std::string& text) {
    OpensslCommand(folder_.path()).write(name, text);
  }
  // As `ipopd --check` prints them, without the name of the file.
  [[nodiscard]] std::vector<std::string> errors(const std::string& trust,
                                                const std::string& address = "192.168.10.10/24") {
    const fs::path file = folder_.path() / "ipop.yaml";
    const auto config = conf::load_text(
        "network: {name: n, address: " + address + "}\ntrust: " + trust + "\n", file);
    if (!config) return {conf::to_string(config.error())};
    const auto read = read_trust_files(*config, file);
    std::vector<std::string> texts;
    if (!read) {
      for (const conf::ConfigError& error : read.error())
        texts.push_back(error.message);
    }
    return texts;
  }

  static constexpr const char* kGood = "{ca: [cacert.pem], cert: host-cert.pem, key: host-key.pem}";
  TemporaryDirectory folder_;
  Issuer ca_ = make_test_ca();
  TestHost alice_{ca_, names_of("alice", {"192.168.10.10"})};
};

TEST_F(TrustFilesOf, AGoodConfigurationAreRead) {
  EXPECT_THAT(errors(kGood), IsEmpty());
  EXPECT_THAT(errors("{}"), IsEmpty());
}

TEST_F(TrustFilesOf, MissingNamesAreAllListed) {
  EXPECT_THAT(errors("{ca: [none.pem], cert: no-cert.pem, key: no-key.pem, crl: no-crl.pem}"),
              ElementsAre(HasSubstr("trust.ca: "), HasSubstr("no-cert.pem"),
                          HasSubstr("no-key.pem"), HasSubstr("no-crl.pem")));
}

TEST_F(TrustFilesOf, OtherContentAreRefused) {
  write("cacert.pem", alice_.certificate.pem());
  EXPECT_THAT(errors(kGood), ElementsAre(HasSubstr("alice is not the certificate of a CA")));
  write("cacert.pem", "nothing");
  write("host-cert.pem", "nothing");
  EXPECT_THAT(errors(kGood),
              ElementsAre(HasSubstr("no certificate in PEM"), HasSubstr("no certificate in PEM")));
}

TEST_F(TrustFilesOf, AnotherKeyAndAKeyForEverybodyAreRefused) {
  write("host-key.pem", HostKey::generate(KeyKind::kEd25519)->pem());
  EXPECT_THAT(errors(kGood), ElementsAre(HasSubstr("is not the key of trust.cert (alice)")));
  fs::permissions(folder_.path() / "host-key.pem", static_cast<fs::perms>(0644));
  EXPECT_THAT(errors(kGood), ElementsAre(HasSubstr("chmod 600")));
}

TEST_F(TrustFilesOf, AnotherAddressAreRefused) {
  EXPECT_THAT(errors(kGood, "192.168.10.11/24"),
              ElementsAre(HasSubstr("names 192.168.10.10, and not 192.168.10.11")));
}

TEST_F(TrustFilesOf, ListsOfAnotherCaAreRefused) {
  const Issuer other = make_test_ca("other");
  write("crl.pem",
        ca_.sign_list({}, 1, kTestValidity)->pem() + other.sign_list({}, 1, kTestValidity)->pem());
  EXPECT_THAT(errors("{ca: [cacert.pem], cert: host-cert.pem, key: host-key.pem, crl: crl.pem}"),
              ElementsAre(HasSubstr("CN=other is not signed by a CA of ours")));
}

}  // namespace
}  // namespace ipop::app
