// What peers tell each other of certificates, inside a session: all of it under one kind of control
// message (message.hpp), told apart by a second byte. Pure: bytes to values and back.
#pragma once

#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "overlay/peer/transfer.hpp"
#include "overlay/trust/x509/authorities.hpp"

namespace ipop::overlay::message {

// A revocation list that the sender has.
struct ListOffer {
  x509::KeyId signer{};
  x509::RevocationList::Age age;
  ContentDigest digest{};
};
// What the sender has: its passport (zero = none) and at most kMaxLists lists.
struct TrustHello {
  bool answer_wanted = false;
  ContentDigest passport{};
  std::vector<ListOffer> lists;
};
// "Send me these parts of what has this digest": a bit each, the lowest for the first.
struct TrustRequest {
  ContentDigest digest{};
  std::uint64_t parts = 0;
};
// One of them: at most Transfer::kPart bytes of `total`.
struct TrustPart {
  ContentDigest digest{};
  std::uint16_t total = 0;
  std::uint8_t index = 0;
  std::vector<std::uint8_t> bytes;
};
// "You are not let in": the receiver's certificate, judged by the sender.
struct TrustRefusal {
  x509::Reason reason = x509::Reason::kNoCertificate;
};

void write(ByteWriter& writer, const TrustHello& hello);
void write(ByteWriter& writer, const TrustRequest& request);
void write(ByteWriter& writer, const TrustPart& part);
void write(ByteWriter& writer, const TrustRefusal& refusal);

// What follows the kind. A step of a later version is std::monostate; `valid` becomes false for
// what is malformed.
[[nodiscard]] std::variant<std::monostate, TrustHello, TrustRequest, TrustPart, TrustRefusal>
read_trust(ByteReader& reader, bool& valid);

}  // namespace ipop::overlay::message
