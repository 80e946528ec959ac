// Whom this node believes: one CA or two (while one replaces the other), and the newest revocation
// list of each. Judges the passports of others. Reads no clock: every question comes with the time.
// Overlay thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "overlay/trust/x509/passport.hpp"
#include "overlay/trust/x509/revocation_list.hpp"

namespace ipop::overlay::x509 {

inline constexpr std::size_t kMaxAuthorities = 2;
inline constexpr std::size_t kMaxLists = kMaxAuthorities + kMaxChain;

// What a passport that was judged to be good says.
struct Standing {
  WallTime valid_until{};  // the earliest end of its certificates, the CA's, and the binding
  std::string name;        // for people
  std::vector<std::string> groups;
  std::vector<std::string> dns_names;
};

class Authorities {
 public:
  // `between`: certificates between these CAs and hosts, whose revocation lists are taken, too.
  // Fails if one of the first is no CA's, or if there are too many.
  [[nodiscard]] static Result<Authorities> make(std::vector<Certificate> authorities,
                                                std::vector<Certificate> between);

  // True if it is newer than what was known, and counts from now on. Fails if no CA that is known
  // here signed it.
  [[nodiscard]] Result<bool> add(const RevocationList& list);

  struct KnownList {
    KeyId signer{};
    RevocationList list;
  };
  [[nodiscard]] const std::vector<KnownList>& lists() const noexcept { return lists_; }
  // The list of the CA with that key; nullptr if none is known.
  [[nodiscard]] const RevocationList* list_of(const KeyId& signer) const;
  // Of all whose lists are taken.
  [[nodiscard]] std::vector<KeyId> signers() const;
  [[nodiscard]] bool knows(const KeyId& signer) const;
  [[nodiscard]] const std::vector<Certificate>& certificates() const noexcept { return cas_; }

  // Whether the node with that key may use these addresses in this network now.
  [[nodiscard]] Judged<Standing> judge(const Passport& passport, const SigningPublicKey& node,
                                       std::span<const Prefix> addresses, const NetworkId& network,
                                       WallTime now) const;

 private:
  Authorities(std::vector<Certificate> cas, std::vector<Certificate> between);
  // The chain up to the CA, the host's certificate first.
  [[nodiscard]] Judged<std::vector<Certificate>> chain_to(const Certificate& ca,
                                                          const std::vector<Certificate>& shown,
                                                          WallTime now) const;
  [[nodiscard]] Judged<std::vector<Certificate>> chain_of(const std::vector<Certificate>& shown,
                                                          WallTime now) const;
  [[nodiscard]] Judged<void> check_revocation(const std::vector<Certificate>& chain) const;

  std::vector<Certificate> cas_;
  std::vector<Certificate> between_;
  std::vector<KnownList> lists_;
};

}  // namespace ipop::overlay::x509
