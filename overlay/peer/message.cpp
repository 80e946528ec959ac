#include "overlay/peer/message.hpp"

#include <array>
#include <cstdlib>

namespace ipop::overlay::message {
namespace {

enum Kind : std::uint8_t {
  kPing = 0x10,
  kPong = 0x11,
  kCredentialRequest = 0x12,
  kCredentialOffer = 0x13,
  kGoodbye = 0x14,
  kRefusal = 0x15,
  kCandidates = 0x16,
  kWelcome = 0x17,
  kRelayOpen = 0x18,
  kRelayOpened = 0x19,
  kRelayClosed = 0x1a,
  kAddressRequest = 0x1b,
  kIntroduction = 0x1c,
  kPortsOffer = 0x1d,
  kRecordDeposit = 0x1e,
  kByStep = 0x1f,  // trust and lanes, by a second byte
};

constexpr std::size_t kMaxSize = 1400;

// The byte behind kRecordDeposit.
enum DepositStep : std::uint8_t { kLeft = 0, kKept = 1, kNotKept = 2 };

void write(ByteWriter& writer, const Endpoint& endpoint) {
  writer.bytes(endpoint.address.bytes());
  writer.le(endpoint.port);
}

void write(ByteWriter& writer, const std::vector<NodeId>& nodes, std::size_t most) {
  const std::size_t count = std::min(nodes.size(), most);
  writer.u8(static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i)
    writer.bytes(nodes[i].bytes);
}

std::vector<NodeId> read_nodes(ByteReader& reader, std::size_t most, bool& valid) {
  std::vector<NodeId> nodes;
  const std::size_t count = reader.u8();
  valid = valid && count <= most;
  for (std::size_t i = 0; valid && i < count && reader.ok(); ++i)
    reader.copy(nodes.emplace_back().bytes);
  return nodes;
}

IpAddress read_address(ByteReader& reader) {
  IpAddress::Bytes address{};
  reader.copy(address);
  return IpAddress(address);
}

Endpoint read_endpoint(ByteReader& reader) {
  const IpAddress address = read_address(reader);
  return {address, reader.le<std::uint16_t>()};
}

struct Encoder {
  ByteWriter& writer;

  void operator()(const Ping& ping) {
    writer.u8(kPing);
    writer.le(ping.sequence);
    writer.le(ping.time);
  }
  void operator()(const Pong& pong) {
    writer.u8(kPong);
    writer.le(pong.sequence);
    writer.le(pong.time);
    write(writer, pong.observed);
  }
  void operator()(const CredentialRequest& request) {
    writer.u8(kCredentialRequest);
    writer.bytes(request.digest);
  }
  void operator()(const CredentialOffer& offer) {
    writer.u8(kCredentialOffer);
    writer.bytes(offer.encoded);
  }
  void operator()(const Goodbye&) { writer.u8(kGoodbye); }
  void operator()(const Refusal& refusal) {
    writer.u8(kRefusal);
    writer.u8(static_cast<std::uint8_t>(refusal.reason));
    writer.bytes(refusal.address.bytes());
  }
  void operator()(const Candidates& candidates) {
    writer.u8(kCandidates);
    writer.u8(static_cast<std::uint8_t>(std::min(candidates.list.size(), kMaxCandidates)));
    for (std::size_t i = 0; i < candidates.list.size() && i < kMaxCandidates; ++i) {
      writer.u8(static_cast<std::uint8_t>(candidates.list[i].kind));
      write(writer, candidates.list[i].endpoint);
    }
  }
  void operator()(const Welcome&) { writer.u8(kWelcome); }
  void operator()(const RelayOpen& open) {
    writer.u8(kRelayOpen);
    writer.le(open.label);
    writer.bytes(open.seen.bytes());
    writer.bytes(open.from.bytes);
    writer.bytes(open.to.bytes);
    write(writer, open.via, kMaxVia);
    write(writer, open.passed, kMaxVia + 1);
  }
  void operator()(const RelayOpened& opened) {
    writer.u8(kRelayOpened);
    writer.le(opened.label);
    writer.le(opened.answer);
    writer.bytes(opened.seen.bytes());
  }
  void operator()(const RelayClosed& closed) {
    writer.u8(kRelayClosed);
    writer.le(closed.label);
    writer.u8(static_cast<std::uint8_t>(closed.reason));
  }
  void operator()(const AddressRequest& request) {
    writer.u8(kAddressRequest);
    writer.bytes(request.address.bytes());
  }
  void operator()(const Introduction& introduction) {
    writer.u8(kIntroduction);
    writer.bytes(introduction.encoded);
  }
  void operator()(const PortsOffer& offer) {
    writer.u8(kPortsOffer);
    writer.u8(offer.answer ? 1 : 0);
    writer.bytes(offer.id);
    writer.u8(static_cast<std::uint8_t>(offer.model.kind));
    writer.le(offer.model.first);
    writer.le(offer.model.last);
    writer.le(static_cast<std::uint16_t>(offer.model.step));
    writer.u8(static_cast<std::uint8_t>(offer.effort));
  }
  void operator()(const RecordDeposit& deposit) {
    writer.u8(kRecordDeposit);
    writer.u8(kLeft);
    writer.bytes(deposit.address.bytes());
    writer.bytes(deposit.value);
  }
  void operator()(const RecordDeposited& deposited) {
    writer.u8(kRecordDeposit);
    writer.u8(deposited.kept ? kKept : kNotKept);
    writer.bytes(deposited.address.bytes());
    writer.le(deposited.sequence);
  }
  template <typename T>
  void by_step(const T& message) {
    writer.u8(kByStep);
    write(writer, message);
  }
  void operator()(const TrustHello& hello) { by_step(hello); }
  void operator()(const TrustRequest& request) { by_step(request); }
  void operator()(const TrustPart& part) { by_step(part); }
  void operator()(const TrustRefusal& refusal) { by_step(refusal); }
  void operator()(const LaneProbe& probe) { by_step(probe); }
  void operator()(const LaneHeard& heard) { by_step(heard); }
  void operator()(const Unknown&) {}
};

Candidates read_candidates(ByteReader& reader, bool& valid) {
  Candidates candidates;
  const std::size_t count = reader.u8();
  valid = count <= kMaxCandidates;
  for (std::size_t i = 0; valid && i < count && reader.ok(); ++i) {
    const std::uint8_t kind = reader.u8();
    valid = kind <= static_cast<std::uint8_t>(CandidateKind::kMapped);
    candidates.list.push_back({read_endpoint(reader), static_cast<CandidateKind>(kind)});
  }
  return candidates;
}

RelayOpen read_relay_open(ByteReader& reader, bool& valid) {
  RelayOpen open{.label = reader.le<std::uint32_t>(),
                 .from = {},
                 .to = {},
                 .via = {},
                 .passed = {},
                 .seen = read_address(reader)};
  reader.copy(open.from.bytes);
  reader.copy(open.to.bytes);
  valid = open.label != 0;
  open.via = read_nodes(reader, kMaxVia, valid);
  open.passed = read_nodes(reader, kMaxVia + 1, valid);
  return open;
}

RelayClosed read_relay_closed(ByteReader& reader, bool& valid) {
  const auto label = reader.le<std::uint32_t>();
  const std::uint8_t reason = reader.u8();
  valid = reason >= static_cast<std::uint8_t>(RelayCloseReason::kDone) &&
          reason <= static_cast<std::uint8_t>(RelayCloseReason::kTooMany);
  return {label, static_cast<RelayCloseReason>(reason)};
}

PortsOffer read_ports_offer(ByteReader& reader, bool& valid) {
  PortsOffer offer;
  const std::uint8_t answer = reader.u8();
  offer.answer = answer == 1;
  reader.copy(offer.id);
  const std::uint8_t kind = reader.u8();
  PortModel& model = offer.model;
  model.kind = static_cast<PortModel::Kind>(kind);
  model.first = reader.le<std::uint16_t>();
  model.last = reader.le<std::uint16_t>();
  model.step = static_cast<std::int16_t>(reader.le<std::uint16_t>());
  offer.effort = static_cast<GuessingEffort>(reader.u8());
  const bool effort =
      offer.effort == GuessingEffort::kGentle || offer.effort == GuessingEffort::kThorough;
  const bool steps = model.kind == PortModel::Kind::kSteps;
  valid = effort && answer <= 1 && kind >= static_cast<std::uint8_t>(PortModel::Kind::kOne) &&
          kind <= static_cast<std::uint8_t>(PortModel::Kind::kAnyOf) && model.first != 0 &&
          model.first <= model.last && steps == (model.step != 0) &&
          std::abs(int{model.step}) <= kLongestStep;
  return offer;
}

Message read_record_deposit(ByteReader& reader, bool& valid) {
  const std::uint8_t step = reader.u8();
  const IpAddress address = read_address(reader);
  if (step == kLeft) {
    const ByteView value = reader.bytes(reader.remaining());
    valid = !value.empty() && value.size() <= kMaxRecord;
    return RecordDeposit{address, {value.begin(), value.end()}};
  }
  valid = step == kKept || step == kNotKept;
  return RecordDeposited{address, reader.le<std::uint64_t>(), step == kKept};
}

Refusal read_refusal(ByteReader& reader, bool& valid) {
  Refusal refusal;
  const std::uint8_t reason = reader.u8();
  valid = reason == static_cast<std::uint8_t>(RefusalReason::kAddressInUse) ||
          reason == static_cast<std::uint8_t>(RefusalReason::kBadCredential);
  refusal.reason = static_cast<RefusalReason>(reason);
  refusal.address = read_address(reader);
  return refusal;
}

}  // namespace

std::vector<std::uint8_t> encode(const Message& message) {
  std::array<std::uint8_t, kMaxSize> buffer;
  ByteWriter writer(buffer);
  std::visit(Encoder{writer}, message);
  const ByteView written = writer.written();
  return {written.begin(), written.end()};
}

Result<Message> parse(ByteView bytes) {
  if (bytes.empty()) return fail("empty control message");
  ByteReader reader(bytes);
  const std::uint8_t kind = reader.u8();
  Message message;
  bool valid = true;
  switch (kind) {
    case kPing:
      message = Ping{reader.le<std::uint32_t>(), reader.le<std::uint64_t>()};
      break;
    case kPong: {
      Pong pong{reader.le<std::uint32_t>(), reader.le<std::uint64_t>(), {}};
      pong.observed = read_endpoint(reader);
      message = pong;
      break;
    }
    case kCredentialRequest: {
      CredentialRequest request;
      reader.copy(request.digest);
      message = request;
      break;
    }
    case kCredentialOffer: {
      const ByteView encoded = reader.bytes(reader.remaining());
      message = CredentialOffer{{encoded.begin(), encoded.end()}};
      break;
    }
    case kGoodbye:
      message = Goodbye{};
      break;
    case kWelcome:
      message = Welcome{};
      break;
    case kRefusal:
      message = read_refusal(reader, valid);
      break;
    case kCandidates:
      message = read_candidates(reader, valid);
      break;
    case kRelayOpen:
      message = read_relay_open(reader, valid);
      break;
    case kRelayOpened: {
      const auto label = reader.le<std::uint32_t>();
      const auto answer = reader.le<std::uint32_t>();
      valid = answer != 0;
      message = RelayOpened{label, answer, read_address(reader)};
      break;
    }
    case kRelayClosed:
      message = read_relay_closed(reader, valid);
      break;
    case kAddressRequest: {
      message = AddressRequest{read_address(reader)};
      break;
    }
    case kIntroduction: {
      const ByteView encoded = reader.bytes(reader.remaining());
      message = Introduction{{encoded.begin(), encoded.end()}};
      break;
    }
    case kPortsOffer:
      message = read_ports_offer(reader, valid);
      break;
    case kRecordDeposit:
      message = read_record_deposit(reader, valid);
      break;
    case kByStep: {
      if (const auto lanes = read_lanes(reader, valid)) {
        std::visit([&](const auto& one) { message = one; }, *lanes);
        break;
      }
      const auto read = read_trust(reader, valid);
      // A step of a later version is as unknown as a kind would be.
      if (reader.ok() && read.index() == 0) return Message(Unknown{kind});
      std::visit(
          [&](const auto& one) {
            if constexpr (!std::is_same_v<std::decay_t<decltype(one)>, std::monostate>)
              message = one;
          },
          read);
      break;
    }
    default:
      return Message(Unknown{kind});
  }
  if (!reader.ok() || !valid || reader.remaining() != 0) return fail("malformed control message");
  return message;
}

}  // namespace ipop::overlay::message
