// How this node looks from outside: what several observers, STUN servers and peers, say of the
// endpoint that our datagrams come from, and what follows for the NATs in between. Overlay thread;
// pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "base/ip.hpp"

namespace ipop::overlay {

// By RFC 4787 §4.1, as far as observers at different endpoints can tell.
enum class NatMapping : std::uint8_t {
  kUnknown,              // nobody has said anything
  kNone,                 // we look as we are: no NAT
  kTranslated,           // a NAT; only one observer, so its kind is open
  kEndpointIndependent,  // all observers see the same ("cone"): others can be told
  kEndpointDependent,    // each sees another ("symmetric"): what one sees is of no use to others
};

// "unknown", "none", "translated", "endpoint-independent", "endpoint-dependent".
[[nodiscard]] std::string_view name(NatMapping mapping) noexcept;

class Mappings {
 public:
  enum class Observer : std::uint8_t { kServer, kPeer };

  static constexpr Duration kLife = std::chrono::seconds(90);
  static constexpr std::size_t kMost = 16;

  // Where we listen, by our own interfaces: what is seen there is no NAT's doing. If that is news,
  // everything that was observed is forgotten; true.
  bool set_local(std::vector<Endpoint> local);
  // `by` sees us at `mapped`. If it saw us elsewhere before, a NAT has changed its mind, and what
  // others said before that is forgotten. A peer's word never takes the place of a server's. True
  // if endpoints() or mapping() changed.
  bool observe(Observer kind, const Endpoint& by, const Endpoint& mapped, Instant now);
  // Forgets what is too old. True if something changed.
  bool expire(Instant now);
  [[nodiscard]] NatMapping mapping(bool v4) const;
  // A server, and not only peers, has told how we look.
  [[nodiscard]] bool seen_by_server(bool v4) const;
  // Where others may find us beyond our own addresses: what was observed last first, at most two of
  // a family. Peers are believed only where fewer than two servers speak.
  [[nodiscard]] std::vector<Endpoint> endpoints() const;

 private:
  struct Observation {
    Observer kind;
    Endpoint by;
    Endpoint mapped;
    Instant at;
  };
  struct View {
    NatMapping mappings[2];
    std::vector<Endpoint> endpoints;
    friend bool operator==(const View&, const View&) = default;
  };

  [[nodiscard]] bool make_room();
  [[nodiscard]] View view() const { return {{mapping(false), mapping(true)}, endpoints()}; }
  // Of one family and believed, the latest first. Observers on our side of the NAT, who see us as
  // we are, count only where there are no others.
  [[nodiscard]] std::vector<const Observation*> believed(bool v4) const;
  [[nodiscard]] bool is_local(const Endpoint& endpoint) const;

  std::vector<Endpoint> local_;
  std::vector<Observation> seen_;
};

}  // namespace ipop::overlay
