// The folder of a small CA: cacert.pem, cakey.pem (for the owner alone), crl.pem, certs/ with a
// copy of all that was signed, and index.txt and crlnumber as `openssl ca` keeps them, so that it
// can take over. One process at a time; every change is whole or not there. Throws
// std::runtime_error with what to do.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/fd.hpp"
#include "overlay/trust/x509/issuer.hpp"

namespace ipop::app {

namespace x509 = overlay::x509;

class CaFolder {
 public:
  // A line of the index.
  struct Entry {
    WallTime expires{};
    std::optional<WallTime> revoked;
    std::string serial;   // hexadecimal
    std::string subject;  // "/CN=alice/OU=web"
  };

  // Makes the folder and all files of a new CA in it, or none of them.
  static void create(const std::filesystem::path& folder, x509::KeyKind kind,
                     const x509::CaTerms& terms);
  // One that is there.
  explicit CaFolder(const std::filesystem::path& folder);

  [[nodiscard]] const x509::Issuer& issuer() const noexcept { return *issuer_; }
  [[nodiscard]] const std::vector<Entry>& entries() const noexcept { return entries_; }
  // The copy of what was signed; nothing if somebody removed it.
  [[nodiscard]] std::optional<x509::Certificate> certificate(const Entry& entry) const;

  // The certificates that still count at `now` and have that serial number, name or address.
  [[nodiscard]] std::vector<const Entry*> find(const std::string& who, WallTime now) const;

  // Keeps a certificate that was signed, and writes it to `out`, which must not be there unless
  // `replace`.
  void add(const x509::Certificate& certificate, const std::filesystem::path& out, bool replace);
  // Revokes those that are not revoked already, and signs a new list in any case.
  void revoke(const std::vector<std::string>& serials, WallTime now);

 private:
  [[nodiscard]] std::filesystem::path copy_of(const std::string& serial) const;
  void read_index();
  [[nodiscard]] std::string index_text() const;

  std::filesystem::path folder_;
  Fd lock_;
  std::optional<x509::Issuer> issuer_;
  std::vector<Entry> entries_;
  std::uint64_t list_number_ = 0;  // of the next list
};

}  // namespace ipop::app
