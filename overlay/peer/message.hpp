// Control messages between IPOP peers, inside a session: first byte 0x10 to 0x1f, then fields in
// little endian. An unknown kind is ignored by the reader, so later versions may add some; a known
// one with a wrong length is refused. Pure: bytes to values and back.
#pragma once

#include <cstdint>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "base/ip.hpp"
#include "overlay/directory/node_record.hpp"
#include "overlay/nat/guessing_plan.hpp"
#include "overlay/nat/stun_message.hpp"
#include "overlay/peer/lane_message.hpp"
#include "overlay/peer/trust_message.hpp"
#include "overlay/trust/credential.hpp"

namespace ipop::overlay::message {

// `time` is the sender's monotonic clock in nanoseconds; it comes back as it was.
struct Ping {
  std::uint32_t sequence = 0;
  std::uint64_t time = 0;
};
// `observed`: where the ping came from, as the answering peer saw it.
struct Pong {
  std::uint32_t sequence = 0;
  std::uint64_t time = 0;
  Endpoint observed;
};
struct CredentialRequest {
  CredentialDigest digest{};
};
// Parsed and verified by Credential::parse, not here.
struct CredentialOffer {
  std::vector<std::uint8_t> encoded;
};
// The sender ends its side; it will not answer until it is back.
struct Goodbye {};

enum class RefusalReason : std::uint8_t {
  kAddressInUse = 1,   // another node holds an address that you claim, and claimed it earlier
  kBadCredential = 2,  // your credential does not parse, or is not your key's
};
struct Refusal {
  RefusalReason reason = RefusalReason::kBadCredential;
  IpAddress address;  // kAddressInUse: which
};
// Where the sender can be reached now; at most 16.
struct Candidates {
  std::vector<Candidate> list;
};
// The sender has verified the receiver's credential: its host packets pass from now on.
struct Welcome {};
// Relaying (docs/protocol.md). Each end of a hop chooses the label that the other has to write on
// what it sends for this circuit.
struct RelayOpen {
  std::uint32_t label = 0;  // the sender's, never 0; a repeated open has the same
  NodeId from;              // who asked first
  NodeId to;                // whom the circuit is to lead to
  // Relays behind the receiver, the nearest first; at most kMaxVia. And those that the open has
  // passed, the last one last; at most kMaxVia + 1.
  std::vector<NodeId> via;
  std::vector<NodeId> passed;
  // Where the first relay sees who asked; :: from whoever asks.
  IpAddress seen{};
};
struct RelayOpened {
  std::uint32_t label = 0;   // of the open: the receiver's
  std::uint32_t answer = 0;  // the sender's own, never 0
  // Where the last relay sees whom the circuit leads to; :: from the end itself.
  IpAddress seen{};
};
enum class RelayCloseReason : std::uint8_t {
  kDone = 1,          // no longer wanted, or idle for too long
  kNotServing = 2,    // the receiver of an open does not relay, or not for its sender
  kNotConnected = 3,  // the next node is not to be reached
  kTooMany = 4,
};
struct RelayClosed {
  std::uint32_t label = 0;  // the receiver's
  RelayCloseReason reason = RelayCloseReason::kDone;
};
// "Who holds this inner address?", asked of a relay of ours, and its answer, if that node is
// connected to it: the credential as with an offer, of somebody else.
struct AddressRequest {
  IpAddress address;
};
struct Introduction {
  std::vector<std::uint8_t> encoded;
};
// "Let us guess ports of each other's NATs": how the sender's chooses them, and what datagrams to
// it have to carry as their STUN transaction, and how much the sender is ready to send. The answer
// is the same from the other end.
struct PortsOffer {
  bool answer = false;
  stun::TransactionId id{};
  PortModel model;
  GuessingEffort effort = GuessingEffort::kGentle;
};
// Our record, as it stands in the directory under `address`, or under our id if that is ::, for a
// relay to keep there: sealed, at most 1,000 bytes. And what the relay says to that.
struct RecordDeposit {
  IpAddress address;
  std::vector<std::uint8_t> value;
};
struct RecordDeposited {
  IpAddress address;
  std::uint64_t sequence = 0;  // of the record
  bool kept = false;
};
struct Unknown {
  std::uint8_t kind = 0;
};

using Message =
    std::variant<Ping, Pong, CredentialRequest, CredentialOffer, Goodbye, Refusal, Candidates,
                 Welcome, RelayOpen, RelayOpened, RelayClosed, AddressRequest, Introduction,
                 PortsOffer, RecordDeposit, RecordDeposited, TrustHello, TrustRequest, TrustPart,
                 TrustRefusal, LaneProbe, LaneHeard, Unknown>;

inline constexpr std::size_t kMaxCandidates = 16;
inline constexpr std::size_t kMaxVia = 2;
inline constexpr std::size_t kMaxRecord = 1000;

// At most 1,400 bytes, for any message within its stated limits. Unknown must not be encoded.
[[nodiscard]] std::vector<std::uint8_t> encode(const Message& message);
[[nodiscard]] Result<Message> parse(ByteView bytes);

}  // namespace ipop::overlay::message
