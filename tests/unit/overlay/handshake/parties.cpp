#include "parties.hpp"

#include <openssl/evp.h>

namespace ipop::overlay::handshake::testing {

Secret<32> fixed_secret(std::string_view name) {
  Secret<32> secret;
  EVP_Digest(name.data(), name.size(), secret.data(), nullptr, EVP_sha256(), nullptr);
  return secret;
}

Party::Party(std::string_view name) : secret(fixed_secret(name)) {
  crypto_scalarmult_base(public_key.data(), secret.data());
}

Exchange::Exchange(Form which) : form(which) {
  if (form == Form::kWireGuard) return;
  network_mac = fixed_secret("network mac");
  initiation_payload = {1, 2, 3, 4, 5};
  response_payload = {9, 8, 7};
}

Initiation Exchange::initiate() const {
  Initiation initiation = create_initiation(form, initiator.keys(), responder.public_key,
                                            kInitiatorIndex, kTimestamp, initiation_payload)
                              .value();
  MacWriter(form, responder.public_key, network_mac).append_macs(initiation.message, at({}));
  return initiation;
}

Response Exchange::respond(const ReceivedInitiation& initiation) const {
  Response response = create_response(initiation, kResponderIndex, psk, response_payload).value();
  MacWriter(form, initiation.remote, network_mac).append_macs(response.message, at({}));
  return response;
}

}  // namespace ipop::overlay::handshake::testing
