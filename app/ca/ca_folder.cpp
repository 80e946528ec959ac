#include "app/ca/ca_folder.hpp"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <sstream>
#include <stdexcept>

#include "app/cli/command.hpp"
#include "app/cli/init_files.hpp"
#include "overlay/trust/state_file.hpp"
#include "overlay/trust/x509/openssl.hpp"

namespace ipop::app {
namespace {

namespace fs = std::filesystem;
using overlay::IfExists;
using overlay::read_state_file;
using overlay::write_state_file;
using x509::Certificate;

constexpr std::size_t kMaxIndex = 64 << 20;
constexpr std::size_t kMaxFile = 1 << 20;

// Everybody may read certificates and lists; only keys and the configuration are private.
void write_public(const fs::path& file, std::string_view content, IfExists if_exists) {
  or_throw(write_state_file(file, content, if_exists));
  ::chmod(file.c_str(), 0644);
}

// As X.509 has dates: two digits for the year until 2049 (RFC 5280 §4.1.2.5).
std::string date_text(WallTime time) {
  const std::time_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[32];
  const char* const format = parts.tm_year < 150 ? "%y%m%d%H%M%SZ" : "%Y%m%d%H%M%SZ";
  return {text, std::strftime(text, sizeof text, format, &parts)};
}

WallTime parse_date(const std::string& text) {
  const x509::Owned<ASN1_TIME, ASN1_TIME_free> time(ASN1_TIME_new());
  if (!time || ASN1_TIME_set_string(time.get(), text.c_str()) != 1) {
    throw std::runtime_error("index.txt is damaged: '" + text + "' is not a date");
  }
  return x509::to_wall_time(time.get());
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields(1);
  for (const char letter : line) {
    if (letter == '\t') {
      fields.emplace_back();
    } else {
      fields.back() += letter;
    }
  }
  return fields;
}

// "/CN=alice/OU=web", as `openssl ca` has it in its index.
std::string one_line(const Certificate& certificate) {
  char* const text = X509_NAME_oneline(X509_get_subject_name(certificate.handle()), nullptr, 0);
  std::string line = text != nullptr ? text : "";
  OPENSSL_free(text);
  return line;
}

std::string number_text(std::uint64_t number) {
  char text[20];
  const int size = std::snprintf(text, sizeof text, "%lX", static_cast<unsigned long>(number));
  return (size % 2 == 0 ? "" : "0") + std::string(text) + "\n";
}

std::uint64_t parse_number(const std::string& text) {
  std::uint64_t number = 0;
  const auto end = text.data() + text.find_last_not_of("\r\n") + 1;
  const auto [at, error] = std::from_chars(text.data(), end, number, 16);
  if (error != std::errc{} || at != end) throw std::runtime_error("crlnumber is damaged");
  return number;
}

// A list has room for some 1,600: those that have expired are refused without it. Clocks differ.
constexpr auto kListedAfterEnd = std::chrono::days(7);

x509::RevocationList sign_list(const x509::Issuer& issuer,
                               const std::vector<CaFolder::Entry>& entries, std::uint64_t number,
                               WallTime now) {
  std::vector<x509::Revoked> revoked;
  for (const CaFolder::Entry& entry : entries) {
    const bool counts = now < entry.expires + kListedAfterEnd;
    if (entry.revoked && counts) revoked.push_back({entry.serial, *entry.revoked});
  }
  // It counts until a newer one comes, so its end is that of the CA.
  return or_throw(issuer.sign_list(revoked, number, {now, issuer.certificate().not_after()}));
}

}  // namespace

void CaFolder::create(const fs::path& folder, x509::KeyKind kind, const x509::CaTerms& terms) {
  for (const char* name : {"cacert.pem", "cakey.pem", "index.txt", "crlnumber", "crl.pem"}) {
    if (fs::symlink_status(folder / name).type() != fs::file_type::not_found) {
      throw std::runtime_error((folder / name).string() +
                               " is there already, and a CA is not overwritten");
    }
  }
  const auto issuer = or_throw(x509::Issuer::make(or_throw(x509::HostKey::generate(kind)), terms));
  const auto list = sign_list(issuer, {}, 1, terms.validity.from);
  NewFiles files;
  files.make_directory(folder, static_cast<fs::perms>(0700));
  files.make_directory(folder / "certs", static_cast<fs::perms>(0700));
  const auto write = [&](const char* name, std::string_view content) {
    write_public(folder / name, content, IfExists::kRefuse);
    files.made(folder / name);
  };
  std::string key = issuer.key().pem();
  or_throw(write_state_file(folder / "cakey.pem", key, IfExists::kRefuse));
  files.made(folder / "cakey.pem");
  OPENSSL_cleanse(key.data(), key.size());
  write("index.txt", "");
  write("crlnumber", number_text(2));
  write("crl.pem", list.pem());
  write("cacert.pem", issuer.certificate().pem());
  files.keep();
}

CaFolder::CaFolder(const fs::path& folder)
    : folder_(folder), lock_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (!lock_) {
    throw std::runtime_error("there is no CA in " + folder.string() + ": `ipop ca init` makes one");
  }
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw std::runtime_error("another `ipop ca` works in " + folder.string());
  }
  const std::string text = or_throw(read_state_file(folder / "cacert.pem", kMaxFile));
  auto certificates = Certificate::parse_pem(text, 1);
  if (!certificates) {
    throw std::runtime_error((folder / "cacert.pem").string() + ": " +
                             certificates.error().message);
  }
  issuer_ = or_throw(x509::Issuer::take(or_throw(x509::HostKey::load(folder / "cakey.pem")),
                                        std::move(certificates->front())));
  read_index();
  list_number_ = parse_number(or_throw(read_state_file(folder / "crlnumber", kMaxFile)));
}

void CaFolder::read_index() {
  std::istringstream lines(or_throw(read_state_file(folder_ / "index.txt", kMaxIndex)));
  for (std::string line; std::getline(lines, line);) {
    const std::vector<std::string> fields = fields_of(line);
    if (fields.size() != 6 || fields[0].size() != 1) {
      throw std::runtime_error((folder_ / "index.txt").string() + " is damaged: " + line);
    }
    Entry entry{.expires = parse_date(fields[1]),
                .revoked = std::nullopt,
                .serial = fields[3],
                .subject = fields[5]};
    // A reason may stand behind the date.
    if (fields[0] == "R") entry.revoked = parse_date(fields[2].substr(0, fields[2].find(',')));
    entries_.push_back(std::move(entry));
  }
}

std::string CaFolder::index_text() const {
  std::string text;
  for (const Entry& entry : entries_) {
    text += std::string(entry.revoked ? "R" : "V") + "\t" + date_text(entry.expires) + "\t" +
            (entry.revoked ? date_text(*entry.revoked) : "") + "\t" + entry.serial + "\tunknown\t" +
            entry.subject + "\n";
  }
  return text;
}

fs::path CaFolder::copy_of(const std::string& serial) const {
  return folder_ / "certs" / (serial + ".pem");
}

std::optional<Certificate> CaFolder::certificate(const Entry& entry) const {
  const auto text = read_state_file(copy_of(entry.serial), kMaxFile);
  if (!text) return std::nullopt;
  auto certificates = Certificate::parse_pem(*text, 1);
  if (!certificates) return std::nullopt;
  return std::move(certificates->front());
}

std::vector<const CaFolder::Entry*> CaFolder::find(const std::string& who, WallTime now) const {
  const auto address = IpAddress::parse(who);
  std::vector<const Entry*> found;
  for (const Entry& entry : entries_) {
    if (entry.revoked || entry.expires <= now) continue;
    bool is = entry.serial == who;
    if (const auto known = is ? std::nullopt : certificate(entry)) {
      const auto addresses = known->addresses();
      is = known->name() == who ||
           (address && std::ranges::find(addresses, *address) != addresses.end());
    }
    if (is) found.push_back(&entry);
  }
  return found;
}

void CaFolder::add(const Certificate& certificate, const fs::path& out, bool replace) {
  NewFiles files;
  const fs::path copy = copy_of(certificate.serial());
  write_public(copy, certificate.pem(), IfExists::kRefuse);
  files.made(copy);
  // The index last of all: what it does not name was never signed. Only replacing somebody's file
  // has to wait for it, as that cannot be taken back.
  if (!replace) {
    write_public(out, certificate.pem(), IfExists::kRefuse);
    files.made(out);
  }
  entries_.push_back({.expires = certificate.not_after(),
                      .revoked = std::nullopt,
                      .serial = certificate.serial(),
                      .subject = one_line(certificate)});
  write_public(folder_ / "index.txt", index_text(), IfExists::kReplace);
  files.keep();
  if (replace) write_public(out, certificate.pem(), IfExists::kReplace);
}

void CaFolder::revoke(const std::vector<std::string>& serials, WallTime now) {
  const std::string before = index_text();
  for (Entry& entry : entries_) {
    const bool meant = std::ranges::find(serials, entry.serial) != serials.end();
    if (meant && !entry.revoked) entry.revoked = now;
  }
  const auto list = sign_list(*issuer_, entries_, list_number_, now);
  // A number that no list has is harmless, one that two lists have is not.
  write_public(folder_ / "crlnumber", number_text(++list_number_), IfExists::kReplace);
  write_public(folder_ / "index.txt", index_text(), IfExists::kReplace);
  try {
    write_public(folder_ / "crl.pem", list.pem(), IfExists::kReplace);
  } catch (const std::runtime_error&) {
    static_cast<void>(write_state_file(folder_ / "index.txt", before, IfExists::kReplace));
    throw;
  }
}

}  // namespace ipop::app
