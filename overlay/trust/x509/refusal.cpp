#include "overlay/trust/x509/refusal.hpp"

namespace ipop::overlay::x509 {

const char* name(Reason reason) noexcept {
  switch (reason) {
    case Reason::kNoCertificate:
      return "no certificate";
    case Reason::kMalformed:
      return "a malformed certificate";
    case Reason::kOtherCa:
      return "a certificate of another CA";
    case Reason::kExpired:
      return "an expired certificate";
    case Reason::kNotYetValid:
      return "a certificate that is not valid yet";
    case Reason::kRevoked:
      return "a revoked certificate";
    case Reason::kWrongUse:
      return "a certificate that is not for this use";
    case Reason::kNotPermitted:
      return "a certificate beyond what its CA may sign";
    case Reason::kWeak:
      return "a certificate with a key or signature that is not taken";
    case Reason::kAddressNotNamed:
      return "an address that the certificate does not name";
    case Reason::kBindingOfAnother:
      return "the key binding of another node";
    case Reason::kBindingExpired:
      return "an expired key binding";
  }
  return "a reason of a later version";
}

const char* advice(Reason reason) noexcept {
  switch (reason) {
    case Reason::kNoCertificate:
      return "set trust.cert and trust.key";
    case Reason::kOtherCa:
      return "have trust.cert signed by the CA that the other node trusts";
    case Reason::kExpired:
      return "renew trust.cert (ipop ca renew), or set the clock";
    case Reason::kNotYetValid:
      return "set the clocks of both nodes";
    case Reason::kRevoked:
      return "have a new certificate signed";
    case Reason::kAddressNotNamed:
      return "have trust.cert signed for the address, or use the one that it names";
    case Reason::kBindingOfAnother:
      return "trust.key must be this machine's own; restart ipopd";
    case Reason::kBindingExpired:
      return "run ipop reload";
    case Reason::kMalformed:
    case Reason::kWrongUse:
    case Reason::kNotPermitted:
    case Reason::kWeak:
      return "have another certificate signed";
  }
  return "see the other node's log";
}

}  // namespace ipop::overlay::x509
