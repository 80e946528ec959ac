// `ipop ca`, against the openssl program in both directions.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "overlay/trust/x509/certificate.hpp"
#include "tests/support/openssl_command.hpp"
#include "tests/support/temporary_directory.hpp"
#include "tests/unit/app/command_line.hpp"

namespace ipop::app {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

class CaCommands : public ::testing::Test {
 protected:
  Outcome ca(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "ca");
    if (arguments[1] != "request") {
      arguments.insert(arguments.end(), {"--dir", (root() / "ca").string()});
    }
    return ipop(arguments);
  }
  void must(const std::vector<std::string>& arguments) {
    const Outcome outcome = ca(arguments);
    ASSERT_EQ(outcome.code, 0) << outcome.err;
  }
  Outcome request(const std::string& host, const std::string& address,
                  const std::string& key = "ecdsa-p256") {
    return ca({"request", "--name", host, "--address", address, "--dir", (root() / host).string(),
               "--key", key});
  }
  // A host with its key and certificate.
  void make_host(const std::string& host, const std::string& address) {
    ASSERT_EQ(request(host, address).code, 0);
    must({"sign", file(host + "/host-request.pem"), "--address", address, "--group", "web"});
  }
  [[nodiscard]] std::string file(const std::string& name) const { return (root() / name).string(); }
  [[nodiscard]] const fs::path& root() const { return folder_.path(); }
  [[nodiscard]] fs::perms mode(const std::string& name) const {
    return fs::status(root() / name).permissions();
  }
  // All names below the root: what a failure must not change.
  [[nodiscard]] std::vector<std::string> files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(root()))
      names.push_back(entry.path());
    std::ranges::sort(names);
    return names;
  }

  TemporaryDirectory folder_;
  OpensslCommand openssl_{folder_.path()};
};

TEST_F(CaCommands, MakeWhatOpensslVerifies) {
  for (const char* kind : {"ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048"}) {
    fs::remove_all(root() / "ca");
    fs::remove_all(root() / "alice");
    must({"init", "our CA", "--key", kind});
    ASSERT_EQ(request("alice", "192.168.10.10", kind).code, 0);
    openssl_.must("req -verify -noout -in alice/host-request.pem");
    must({"sign", file("alice/host-request.pem"), "--address", "192.168.10.10", "--group", "web"});
    openssl_.must(
        "verify -x509_strict -CAfile ca/cacert.pem -verify_ip 192.168.10.10 alice/host-cert.pem");
    openssl_.must("crl -noout -in ca/crl.pem -CAfile ca/cacert.pem");
    EXPECT_THAT(openssl_.must("x509 -noout -subject -in alice/host-cert.pem"),
                HasSubstr("OU = web"));
    EXPECT_EQ(openssl_.must("x509 -noout -pubkey -in alice/host-cert.pem"),
              openssl_.must("pkey -pubout -in alice/host-key.pem"));
  }
}

TEST_F(CaCommands, KeepKeysToTheirOwners) {
  must({"init", "our CA"});
  make_host("alice", "192.168.10.10");
  EXPECT_EQ(mode("ca/cakey.pem"), static_cast<fs::perms>(0600));
  EXPECT_EQ(mode("alice/host-key.pem"), static_cast<fs::perms>(0600));
  EXPECT_EQ(mode("ca/cacert.pem"), static_cast<fs::perms>(0644));
  EXPECT_EQ(mode("alice/host-cert.pem"), static_cast<fs::perms>(0644));
}

TEST_F(CaCommands, SignWhatOpensslAsksFor) {
  must({"init", "our CA"});
  openssl_.must(
      "req -nodes -newkey rsa:2048 -keyout k.pem -out r.pem -subj /OU=db/CN=bob "
      "-addext subjectAltName=IP:192.168.10.20,DNS:bob");
  must({"sign", file("r.pem"), "--as-asked", "--out", file("bob.pem")});
  const std::string text = openssl_.must("x509 -noout -text -in bob.pem");
  EXPECT_THAT(text, HasSubstr("IP Address:192.168.10.20, DNS:bob"));
  EXPECT_THAT(text, HasSubstr("OU = db"));
}

TEST_F(CaCommands, GiveOnlyWhatTheCaSays) {
  must({"init", "our CA"});
  ASSERT_EQ(request("alice", "192.168.10.99").code, 0);
  const Outcome unsaid = ca({"sign", file("alice/host-request.pem")});
  EXPECT_EQ(unsaid.code, 2);
  EXPECT_THAT(unsaid.err, HasSubstr("192.168.10.99"));
  must({"sign", file("alice/host-request.pem"), "--address", "192.168.10.10"});
  const std::string text = openssl_.must("x509 -noout -text -in alice/host-cert.pem");
  EXPECT_THAT(text, HasSubstr("IP Address:192.168.10.10"));
  EXPECT_THAT(text, Not(HasSubstr("192.168.10.99")));
}

TEST_F(CaCommands, RevokeByNameAddressSerialAndFile) {
  must({"init", "our CA"});
  const std::string check = "verify -crl_check -CAfile ca/cacert.pem -CRLfile ca/crl.pem ";
  int octet = 10;
  for (const std::string host : {"alice", "bob", "carol", "dave"}) {
    const std::string address = "192.168.10." + std::to_string(octet++);
    make_host(host, address);
    openssl_.must(check + host + "/host-cert.pem");
    const std::string certificate = openssl_.read(host + "/host-cert.pem");
    const std::string serial =
        overlay::x509::Certificate::parse_pem(certificate, 1)->front().serial();
    const std::string who = host == "alice"   ? "alice"
                            : host == "bob"   ? address
                            : host == "carol" ? serial
                                              : file("dave/host-cert.pem");
    must({"revoke", who});
    const auto verified = openssl_.run(check + host + "/host-cert.pem");
    EXPECT_THAT(verified.output, HasSubstr("certificate revoked")) << who;
  }
  const auto before = openssl_.read("ca/index.txt");
  const Outcome nobody = ca({"revoke", "mallory"});
  EXPECT_EQ(nobody.code, 1);
  EXPECT_THAT(nobody.err, HasSubstr("Nothing was revoked"));
  EXPECT_EQ(openssl_.read("ca/index.txt"), before);
  EXPECT_THAT(openssl_.must("crl -noout -crlnumber -in ca/crl.pem"), HasSubstr("05"));
  // The one who was revoked twice keeps its first date, and its name may be used again.
  make_host("erin", "192.168.10.10");
}

// Or a CA that has revoked enough in its life could revoke no more.
TEST_F(CaCommands, ListNoneThatHaveExpiredForAWeek) {
  must({"init", "our CA"});
  make_host("bob", "192.168.10.20");
  std::time_t yesterday = std::time(nullptr) - 24 * 3600;
  std::tm parts{};
  char text[32];
  std::strftime(text, sizeof text, "%y%m%d%H%M%SZ", gmtime_r(&yesterday, &parts));
  std::string index = openssl_.read("ca/index.txt");
  const auto revoked = [&](const std::string& until, int number) {
    index += "R\t" + until + "\t200101000000Z\t0123456789ABCDEF" + std::to_string(number) +
             "\tunknown\t/CN=gone\n";
  };
  for (int i = 0; i < 5000; ++i)
    revoked("200601000000Z", 100'000 + i);
  revoked(text, 200'000);
  openssl_.write("ca/index.txt", index);
  must({"revoke", "bob"});
  const std::string listed = openssl_.must("crl -noout -text -in ca/crl.pem");
  const std::string bob = openssl_.must("x509 -noout -serial -in bob/host-cert.pem");
  EXPECT_THAT(listed, HasSubstr(bob.substr(bob.find('=') + 1, 32)));
  EXPECT_THAT(listed, HasSubstr("0123456789ABCDEF200000")) << "clocks differ";
  EXPECT_THAT(listed, Not(HasSubstr("0123456789ABCDEF100000")));
}

TEST_F(CaCommands, RenewForTheSameKeyAndAddresses) {
  must({"init", "our CA"});
  make_host("alice", "192.168.10.10");
  const std::string old = openssl_.read("alice/host-cert.pem");
  must({"renew", file("alice/host-cert.pem"), "--days", "700"});
  EXPECT_NE(openssl_.read("alice/host-cert.pem"), old);
  openssl_.must("verify -CAfile ca/cacert.pem -verify_ip 192.168.10.10 alice/host-cert.pem");
  openssl_.must("x509 -noout -checkend 50000000 -in alice/host-cert.pem");
  EXPECT_EQ(openssl_.must("x509 -noout -pubkey -in alice/host-cert.pem"),
            openssl_.must("pkey -pubout -in alice/host-key.pem"));
  must({"revoke", "alice"});
  EXPECT_THAT(ca({"renew", file("alice/host-cert.pem")}).err, HasSubstr("is revoked"));
  openssl_.must("req -x509 -nodes -newkey ed25519 -keyout k.pem -subj /CN=other -out other.pem");
  EXPECT_THAT(ca({"renew", file("other.pem")}).err, HasSubstr("not signed by this CA"));
}

TEST_F(CaCommands, RefuseTwoHostsWithOneAddress) {
  must({"init", "our CA"});
  make_host("alice", "192.168.10.10");
  ASSERT_EQ(request("mallory", "192.168.10.10").code, 0);
  const auto before = files();
  const Outcome outcome = ca({"sign", file("mallory/host-request.pem"), "--as-asked"});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.err, HasSubstr("the address of alice"));
  EXPECT_EQ(files(), before);
}

TEST_F(CaCommands, LeaveNothingHalfMade) {
  fs::create_directory(root() / "ca");
  openssl_.write("ca/crlnumber", "somebody's");
  auto before = files();
  EXPECT_EQ(ca({"init", "our CA"}).code, 1);
  EXPECT_EQ(files(), before);
  fs::remove_all(root() / "ca");
  must({"init", "our CA"});
  EXPECT_EQ(ca({"init", "our CA"}).code, 1);
  ASSERT_EQ(request("alice", "192.168.10.10").code, 0);
  openssl_.write("alice/host-cert.pem", "somebody's");
  before = files();
  const std::string index = openssl_.read("ca/index.txt");
  EXPECT_EQ(ca({"sign", file("alice/host-request.pem"), "--as-asked"}).code, 1);
  EXPECT_EQ(files(), before);
  EXPECT_EQ(openssl_.read("ca/index.txt"), index);
  EXPECT_EQ(openssl_.read("alice/host-cert.pem"), "somebody's");
  const Outcome unreachable =
      ca({"request", "--address", "192.168.10.10", "--dir", file("alice/host-key.pem/below")});
  EXPECT_EQ(unreachable.code, 1);
  EXPECT_EQ(files(), before);
}

TEST_F(CaCommands, AskAgainWithTheKeyThatIsThere) {
  ASSERT_EQ(request("alice", "192.168.10.10").code, 0);
  const std::string key = openssl_.read("alice/host-key.pem");
  ASSERT_EQ(request("alice", "192.168.10.11").code, 0);
  EXPECT_EQ(openssl_.read("alice/host-key.pem"), key);
  EXPECT_THAT(openssl_.must("req -noout -text -in alice/host-request.pem"),
              HasSubstr("192.168.10.11"));
}

TEST_F(CaCommands, ListStatesAndNames) {
  must({"init", "our CA", "--permit", "192.168.10.0/24"});
  EXPECT_THAT(ca({"list"}).out, HasSubstr("nothing was signed"));
  make_host("alice", "192.168.10.10");
  make_host("bob", "192.168.10.20");
  must({"revoke", "bob"});
  const std::string text = ca({"list"}).out;
  EXPECT_THAT(text, HasSubstr("alice, 192.168.10.10; groups web"));
  EXPECT_THAT(text, HasSubstr("valid "));
  EXPECT_THAT(text, HasSubstr("revoked "));
  EXPECT_THAT(ca({"list", "--json"}).out, HasSubstr("\"state\": \"revoked\""));
  EXPECT_THAT(openssl_.must("x509 -noout -text -in ca/cacert.pem"),
              HasSubstr("IP:192.168.10.0/255.255.255.0"));
}

TEST_F(CaCommands, LetOpensslTakeOver) {
  must({"init", "our CA"});
  make_host("alice", "192.168.10.10");
  openssl_.write("ca.cnf",
                 "[ca]\ndefault_ca=c\n[c]\ndatabase=ca/index.txt\ncrlnumber=ca/crlnumber\n"
                 "certificate=ca/cacert.pem\nprivate_key=ca/cakey.pem\ndefault_md=sha256\n"
                 "default_crl_days=30\n");
  openssl_.must("ca -config ca.cnf -revoke alice/host-cert.pem");
  openssl_.must("ca -config ca.cnf -gencrl -out ca/crl.pem");
  EXPECT_THAT(ca({"list"}).out, HasSubstr("revoked "));
  make_host("bob", "192.168.10.10");
}

TEST_F(CaCommands, RefuseWhatCannotBe) {
  EXPECT_THAT(ca({"list"}).err, HasSubstr("`ipop ca init` makes one"));
  must({"init", "our CA"});
  openssl_.write("bad.pem",
                 "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n"
                 "-----END CERTIFICATE REQUEST-----\n");
  EXPECT_EQ(ca({"sign", file("bad.pem"), "--as-asked"}).code, 1);
  openssl_.must("req -nodes -newkey rsa:1024 -keyout k.pem -out weak.pem -subj /CN=weak");
  EXPECT_THAT(ca({"sign", file("weak.pem"), "--address", "192.168.10.1"}).err,
              HasSubstr("of a kind that is not taken"));
  EXPECT_EQ(request("alice", "192.168.10.10", "dsa").code, 2);
  EXPECT_EQ(request("alice", "here").code, 2);
  EXPECT_EQ(request(std::string(70, 'a'), "192.168.10.10").code, 2);
}

}  // namespace
}  // namespace ipop::app
