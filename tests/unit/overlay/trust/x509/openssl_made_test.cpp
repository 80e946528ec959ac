// Certificates, requests and lists that the openssl program makes, and what it thinks of ours.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/certificates.hpp"
#include "tests/support/openssl_command.hpp"
#include "tests/support/temporary_directory.hpp"

namespace ipop::overlay::x509 {
namespace {

using namespace std::chrono_literals;

const Identity& node() {
  static const Identity identity = Identity::generate();
  return identity;
}

constexpr const char* kAddress = "192.168.10.10";

class OpensslMade : public ::testing::Test {
 protected:
  // A CA, one between and a host, all with keys of one kind: `newkey` as `openssl req` takes it.
  void make_chain(const std::string& newkey) const {
    const std::string key = " -nodes -newkey " + newkey + " -keyout ";
    openssl_.must("req -x509 -days 3650 -subj /O=Tutorial/CN=root -out cacert.pem" + key +
                  "cakey.pem -addext keyUsage=keyCertSign,cRLSign");
    openssl_.must("req -subj /O=Tutorial/CN=between -out between.csr" + key + "between-key.pem");
    openssl_.write("between.ext",
                   "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n");
    openssl_.must(
        "x509 -req -in between.csr -CA cacert.pem -CAkey cakey.pem -CAcreateserial -days 3000 "
        "-extfile between.ext -out between.pem");
    openssl_.must("req -subj /O=Tutorial/OU=web/OU=db/CN=alice -out host.csr" + key +
                  "host-key.pem");
    sign_host("subjectAltName=IP:192.168.10.10,DNS:alice.example.org");
  }
  void sign_host(const std::string& extensions, const std::string& more = "") const {
    openssl_.write("host.ext", extensions + "\n");
    openssl_.must(
        "x509 -req -in host.csr -CA between.pem -CAkey between-key.pem -CAcreateserial -days 300 "
        "-extfile host.ext -out host-cert.pem " +
        more);
  }
  [[nodiscard]] Certificate one(const std::string& file) const {
    return Certificate::parse_pem(openssl_.read(file), 1).value().front();
  }
  [[nodiscard]] Judged<Standing> judge() const {
    const auto passport = make_passport({one("host-cert.pem"), one("between.pem")},
                                        HostKey::parse_pem(openssl_.read("host-key.pem")).value(),
                                        node().signing_key(), kTestNetwork);
    EXPECT_TRUE(passport) << passport.error().message;
    const WallTime now = one("host-cert.pem").not_before() + 1h;
    return Authorities::make({one("cacert.pem")}, {})
        ->judge(*passport, node().signing_key(), hosts({kAddress}), kTestNetwork, now);
  }

  TemporaryDirectory folder_;
  OpensslCommand openssl_{folder_.path()};
};

TEST_F(OpensslMade, ChainsOfEachKindAreTaken) {
  for (const char* newkey : {"rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-256", "ed25519"}) {
    make_chain(newkey);
    const auto judged = judge();
    ASSERT_TRUE(judged) << newkey << ": " << judged.error().detail;
    EXPECT_EQ(judged->groups, (std::vector<std::string>{"web", "db"}));
    EXPECT_EQ(judged->dns_names, std::vector<std::string>{"alice.example.org"});
  }
}

TEST_F(OpensslMade, WeakOnesAreRefused) {
  make_chain("rsa:2048");
  ASSERT_TRUE(judge());
  sign_host("subjectAltName=IP:192.168.10.10", "-sha1");
  EXPECT_EQ(judge().error().reason, Reason::kWeak);
  openssl_.must("req -nodes -newkey rsa:1024 -subj /CN=alice -out host.csr -keyout host-key.pem");
  EXPECT_FALSE(HostKey::parse_pem(openssl_.read("host-key.pem")));
}

TEST_F(OpensslMade, KeyUsageHasToAllowSignatures) {
  make_chain("ec -pkeyopt ec_paramgen_curve:P-256");
  sign_host("subjectAltName=IP:192.168.10.10\nkeyUsage=keyEncipherment");
  EXPECT_EQ(judge().error().reason, Reason::kWrongUse);
  sign_host("subjectAltName=IP:192.168.10.10\nkeyUsage=digitalSignature");
  EXPECT_TRUE(judge());
}

TEST_F(OpensslMade, UnknownCriticalExtensionsAreRefused) {
  make_chain("ec -pkeyopt ec_paramgen_curve:P-256");
  sign_host("subjectAltName=IP:192.168.10.10\n1.2.3.4=critical,ASN1:NULL");
  EXPECT_EQ(judge().error().reason, Reason::kWrongUse);
}

TEST_F(OpensslMade, RevocationListsAreTaken) {
  make_chain("ec -pkeyopt ec_paramgen_curve:P-256");
  openssl_.write("ca.cnf",
                 "[ca]\ndefault_ca=c\n[c]\ndatabase=index.txt\ncrlnumber=crlnumber\n"
                 "default_md=sha256\ndefault_crl_days=30\n");
  openssl_.write("index.txt", "");
  openssl_.write("crlnumber", "0A\n");
  openssl_.must(
      "ca -config ca.cnf -cert between.pem -keyfile between-key.pem -revoke "
      "host-cert.pem");
  openssl_.must(
      "ca -config ca.cnf -cert between.pem -keyfile between-key.pem -gencrl -out crl.pem");
  const auto lists = RevocationList::parse_pem(openssl_.read("crl.pem"), 1);
  ASSERT_TRUE(lists) << lists.error().message;
  EXPECT_EQ(lists->front().size(), 1u);
  EXPECT_EQ(lists->front().age().number.back(), 10);
  EXPECT_TRUE(lists->front().is_signed_by(one("between.pem")));
  EXPECT_FALSE(lists->front().is_signed_by(one("cacert.pem")));
  EXPECT_TRUE(lists->front().revokes(one("host-cert.pem")));
  EXPECT_FALSE(lists->front().revokes(one("cacert.pem")));
}

TEST_F(OpensslMade, KeysWithAPassphraseAreRefusedWithThatWord) {
  openssl_.must("genpkey -algorithm ed25519 -aes256 -pass pass:secret -out locked.pem");
  const auto key = HostKey::parse_pem(openssl_.read("locked.pem"));
  ASSERT_FALSE(key);
  EXPECT_NE(key.error().message.find("passphrase"), std::string::npos);
}

TEST_F(OpensslMade, RequestsAreTakenAndDamagedOnesAreNot) {
  openssl_.must(
      "req -nodes -newkey ed25519 -keyout k.pem -out r.pem -subj /OU=web/CN=alice "
      "-addext subjectAltName=IP:192.168.10.10,DNS:alice");
  const auto request = Request::parse_pem(openssl_.read("r.pem"));
  ASSERT_TRUE(request) << request.error().message;
  EXPECT_EQ(request->names().name, "alice");
  EXPECT_EQ(request->names().groups, std::vector<std::string>{"web"});
  EXPECT_EQ(request->names().addresses, std::vector{*IpAddress::parse(kAddress)});
  EXPECT_EQ(request->names().dns_names, std::vector<std::string>{"alice"});
  openssl_.must("req -in r.pem -outform DER -out r.der");
  std::string der = openssl_.read("r.der");
  der[der.find("alice")] = 'b';
  openssl_.write("r.der", der);
  const auto damaged = openssl_.run("req -inform DER -in r.der -out r.pem");
  ASSERT_EQ(damaged.code, 0) << damaged.output;
  EXPECT_FALSE(Request::parse_pem(openssl_.read("r.pem")));
}

TEST(Issuer, MakesWhatOpensslVerifies) {
  const TemporaryDirectory folder;
  const OpensslCommand openssl(folder.path());
  for (const KeyKind kind : {KeyKind::kEcdsaP256, KeyKind::kEd25519, KeyKind::kRsa2048}) {
    const Issuer ca = make_test_ca("our CA", kind);
    const TestHost alice(ca, names_of("alice", {kAddress, "fd00::10"}, {"web"}), kind);
    openssl.write("cacert.pem", ca.certificate().pem());
    openssl.write("host-cert.pem", alice.certificate.pem());
    openssl.write("host-key.pem", alice.key.pem());
    openssl.write("request.pem", Request::make(alice.key, names_of("alice", {kAddress}))->pem());
    openssl.write("crl.pem",
                  ca.sign_list({{alice.certificate.serial(), kTestTime}}, 3, kTestValidity)->pem());
    const std::string verify =
        "verify -x509_strict -attime 1800000000 -CAfile cacert.pem -verify_ip 192.168.10.10 ";
    openssl.must(verify + "host-cert.pem");
    openssl.must("req -verify -noout -in request.pem");
    openssl.must("crl -noout -CAfile cacert.pem -in crl.pem");
    openssl.must("pkey -noout -in host-key.pem");
    const auto revoked = openssl.run(verify + "-crl_check -CRLfile crl.pem host-cert.pem");
    EXPECT_NE(revoked.code, 0);
    EXPECT_NE(revoked.output.find("certificate revoked"), std::string::npos) << revoked.output;
    const std::string text = openssl.must("x509 -noout -text -in host-cert.pem");
    EXPECT_NE(text.find("IP Address:192.168.10.10, IP Address:FD00"), std::string::npos) << text;
    EXPECT_NE(text.find("OU = web"), std::string::npos) << text;
  }
}

TEST(HostKey, IsReadOnlyFromAFileOfItsOwnersAlone) {
  const TemporaryDirectory folder;
  const auto file = folder.path() / "host-key.pem";
  const OpensslCommand openssl(folder.path());
  openssl.write("host-key.pem", HostKey::generate(KeyKind::kEd25519)->pem());
  ::chmod(file.c_str(), 0640);
  const auto refused = HostKey::load(file);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("chmod 600"), std::string::npos);
  ::chmod(file.c_str(), 0600);
  EXPECT_TRUE(HostKey::load(file));
  EXPECT_FALSE(HostKey::load(folder.path() / "missing.pem"));
}

}  // namespace
}  // namespace ipop::overlay::x509
