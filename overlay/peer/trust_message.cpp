#include "overlay/peer/trust_message.hpp"

#include <algorithm>

namespace ipop::overlay::message {
namespace {

// The byte behind the kind.
enum Step : std::uint8_t { kHello = 0, kRequest = 1, kPart = 2, kRefusal = 3 };

TrustHello read_hello(ByteReader& reader, bool& valid) {
  TrustHello hello;
  const std::uint8_t flags = reader.u8();
  hello.answer_wanted = flags == 1;
  reader.copy(hello.passport);
  const std::size_t count = reader.u8();
  valid = flags <= 1 && count <= x509::kMaxLists;
  for (std::size_t i = 0; valid && i < count && reader.ok(); ++i) {
    ListOffer& list = hello.lists.emplace_back();
    reader.copy(list.signer);
    reader.copy(list.age.number);
    list.age.this_update = static_cast<std::int64_t>(reader.le<std::uint64_t>());
    reader.copy(list.digest);
  }
  return hello;
}

TrustPart read_part(ByteReader& reader, bool& valid) {
  TrustPart part;
  reader.copy(part.digest);
  part.total = reader.le<std::uint16_t>();
  part.index = reader.u8();
  const ByteView bytes = reader.bytes(reader.remaining());
  valid = !bytes.empty() && bytes.size() <= Transfer::kPart;
  if (valid) part.bytes.assign(bytes.begin(), bytes.end());
  return part;
}

}  // namespace

void write(ByteWriter& writer, const TrustHello& hello) {
  writer.u8(kHello);
  writer.u8(hello.answer_wanted ? 1 : 0);
  writer.bytes(hello.passport);
  const std::size_t count = std::min(hello.lists.size(), x509::kMaxLists);
  writer.u8(static_cast<std::uint8_t>(count));
  for (std::size_t i = 0; i < count; ++i) {
    const ListOffer& list = hello.lists[i];
    writer.bytes(list.signer);
    writer.bytes(list.age.number);
    writer.le(static_cast<std::uint64_t>(list.age.this_update));
    writer.bytes(list.digest);
  }
}

void write(ByteWriter& writer, const TrustRequest& request) {
  writer.u8(kRequest);
  writer.bytes(request.digest);
  writer.le(request.parts);
}

void write(ByteWriter& writer, const TrustPart& part) {
  writer.u8(kPart);
  writer.bytes(part.digest);
  writer.le(part.total);
  writer.u8(part.index);
  writer.bytes(part.bytes);
}

void write(ByteWriter& writer, const TrustRefusal& refusal) {
  writer.u8(kRefusal);
  writer.u8(static_cast<std::uint8_t>(refusal.reason));
}

std::variant<std::monostate, TrustHello, TrustRequest, TrustPart, TrustRefusal> read_trust(
    ByteReader& reader, bool& valid) {
  switch (reader.u8()) {
    case kHello:
      return read_hello(reader, valid);
    case kRequest: {
      TrustRequest request;
      reader.copy(request.digest);
      request.parts = reader.le<std::uint64_t>();
      return request;
    }
    case kPart:
      return read_part(reader, valid);
    case kRefusal: {
      const std::uint8_t reason = reader.u8();
      valid = reason != 0;  // a later version may have more of them
      return TrustRefusal{static_cast<x509::Reason>(reason)};
    }
    default:
      return {};
  }
}

}  // namespace ipop::overlay::message
