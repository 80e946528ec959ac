#include "overlay/nat/stun_message.hpp"

#include <algorithm>

namespace ipop::overlay::stun {
namespace {

constexpr std::size_t kHeader = 20;  // RFC 8489 §5
constexpr std::uint32_t kCookie = 0x2112a442;
constexpr std::size_t kLongest = 1024;

enum Type : std::uint16_t {
  kBindingRequest = 0x0001,
  kBindingSuccess = 0x0101,
  kBindingError = 0x0111,
};

// RFC 8489 §18.3; those from 0x8000 on may be ignored.
enum Attribute : std::uint16_t {
  kMappedAddress = 0x0001,
  kErrorCode = 0x0009,
  kUnknownAttributes = 0x000a,
  kXorMappedAddress = 0x0020,
  kResponsePort = 0x0027,
  kFirstOptional = 0x8000,
  kFingerprint = 0x8028,
};

constexpr std::uint32_t kFingerprintMask = 0x5354554e;  // §14.7
constexpr std::size_t kFingerprintSize = 8;
constexpr std::size_t kMostNotKnown = 8;
constexpr std::uint32_t kChangePort = 2;  // in a CHANGE-REQUEST, RFC 5780 §7.2

// Of ISO 3309, reflected, as §14.7 wants it; a few dozen bytes, and seldom.
std::uint32_t crc32(ByteView bytes) noexcept {
  std::uint32_t crc = 0xffffffff;
  for (const std::uint8_t byte : bytes) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1)));
  }
  return ~crc;
}

struct Header {
  std::uint16_t type = 0;
  TransactionId id{};
};

Header read_header(ByteView datagram) noexcept {
  Header header{.type = load_be<std::uint16_t>(datagram.data())};
  std::copy_n(&datagram[8], header.id.size(), header.id.begin());
  return header;
}

// Calls `take(type, value, offset of its header)` for each attribute up to the fingerprint; false
// if they do not fill the message, or the fingerprint is not its last or wrong.
template <class Take>
bool for_each_attribute(ByteView datagram, bool& fingerprint, Take take) {
  ByteReader rest(datagram.subspan(kHeader));
  while (rest.remaining() != 0) {
    const std::size_t at = datagram.size() - rest.remaining();
    const auto type = rest.be<std::uint16_t>();
    const auto length = rest.be<std::uint16_t>();
    const ByteView value = rest.bytes(length);
    (void)rest.bytes((4 - length % 4) % 4);
    if (!rest.ok()) return false;
    if (type == kFingerprint) {
      fingerprint = true;
      return length == 4 && rest.remaining() == 0 &&
             load_be<std::uint32_t>(value.data()) == (crc32(datagram.first(at)) ^ kFingerprintMask);
    }
    take(type, value);
  }
  return true;
}

// §14.1 and §14.2; the plain form is the same without the mask.
std::optional<Endpoint> read_address(ByteView value, ByteView mask) {
  ByteReader reader(value);
  (void)reader.u8();
  const std::uint8_t family = reader.u8();
  const std::size_t size = family == 1 ? 4 : family == 2 ? 16 : 0;
  const auto port = static_cast<std::uint16_t>(
      reader.be<std::uint16_t>() ^ (mask.empty() ? 0 : load_be<std::uint16_t>(mask.data())));
  const ByteView bytes = reader.bytes(size);
  if (size == 0 || !reader.ok() || reader.remaining() != 0 || port == 0) return std::nullopt;
  std::array<std::uint8_t, 16> plain{};
  for (std::size_t i = 0; i < size; ++i)
    plain[i] = static_cast<std::uint8_t>(bytes[i] ^ (mask.empty() ? 0 : mask[i]));
  return Endpoint{size == 4 ? IpAddress::v4_at(plain.data()) : IpAddress::v6_at(plain.data()),
                  port};
}

void write_header(ByteWriter& writer, Type type, const TransactionId& id) {
  writer.be<std::uint16_t>(type);
  writer.be<std::uint16_t>(0);  // the length comes last
  writer.be<std::uint32_t>(kCookie);
  writer.bytes(id);
}

void write_xor_mapped(ByteWriter& writer, const Endpoint& endpoint, const TransactionId& id) {
  const bool v4 = endpoint.address.is_v4();
  const std::size_t size = v4 ? 4 : 16;
  std::array<std::uint8_t, 16> mask{};
  store_be(mask.data(), kCookie);
  std::ranges::copy(id, mask.begin() + 4);
  writer.be<std::uint16_t>(kXorMappedAddress);
  writer.be(static_cast<std::uint16_t>(4 + size));
  writer.u8(0);
  writer.u8(v4 ? 1 : 2);
  writer.be(static_cast<std::uint16_t>(endpoint.port ^ (kCookie >> 16)));
  const auto& bytes = endpoint.address.bytes();
  for (std::size_t i = 0; i < size; ++i)
    writer.u8(static_cast<std::uint8_t>(bytes[16 - size + i] ^ mask[i]));
}

void write_unknown(ByteWriter& writer, const std::vector<std::uint16_t>& types) {
  writer.be<std::uint16_t>(kErrorCode);
  writer.be<std::uint16_t>(4);
  writer.be<std::uint16_t>(0);
  writer.u8(4);   // 420: hundreds
  writer.u8(20);  // and the rest
  writer.be<std::uint16_t>(kUnknownAttributes);
  writer.be(static_cast<std::uint16_t>(2 * types.size()));
  for (const std::uint16_t type : types)
    writer.be(type);
  if (types.size() % 2 != 0) writer.be<std::uint16_t>(0);
}

// What a request asks of its answer; false if it is not to be had, or unknown.
bool read_answer_by(std::uint16_t type, ByteView value, AnswerBy& by) {
  if (type == kChangeRequest && value.size() == 4) {
    // Another address: we have one.
    const auto flags = load_be<std::uint32_t>(value.data());
    by.from_other_port = flags == kChangePort;
    return flags == kChangePort || flags == 0;
  }
  if (type == kResponsePort && (value.size() == 2 || value.size() == 4)) {
    by.response_port = load_be<std::uint16_t>(value.data());
    return by.response_port != 0;
  }
  return false;
}

Message finish(ByteWriter& writer, bool fingerprint) {
  const std::size_t tail = fingerprint ? kFingerprintSize : 0;
  store_be(&writer.written()[2], static_cast<std::uint16_t>(writer.size() + tail - kHeader));
  if (fingerprint) {
    const std::uint32_t crc = crc32(writer.written());
    writer.be<std::uint16_t>(kFingerprint);
    writer.be<std::uint16_t>(4);
    writer.be<std::uint32_t>(crc ^ kFingerprintMask);
  }
  return {writer.written().begin(), writer.written().end()};
}

}  // namespace

bool is_message(ByteView datagram) noexcept {
  return datagram.size() >= kHeader && datagram.size() <= kLongest && datagram[0] <= 0x3f &&
         load_be<std::uint32_t>(&datagram[4]) == kCookie && datagram.size() % 4 == 0 &&
         load_be<std::uint16_t>(&datagram[2]) == datagram.size() - kHeader;
}

std::optional<Request> parse_request(ByteView datagram) {
  if (!is_message(datagram)) return std::nullopt;
  const Header header = read_header(datagram);
  if (header.type != kBindingRequest) return std::nullopt;
  Request request{.id = header.id};
  const bool whole =
      for_each_attribute(datagram, request.fingerprint, [&](std::uint16_t type, ByteView value) {
        if (type < kFirstOptional && !read_answer_by(type, value, request.by) &&
            request.not_known.size() < kMostNotKnown) {
          request.not_known.push_back(type);
        }
      });
  if (!whole) return std::nullopt;
  return request;
}

std::optional<Response> parse_response(ByteView datagram) {
  if (!is_message(datagram)) return std::nullopt;
  const Header header = read_header(datagram);
  if (header.type != kBindingSuccess && header.type != kBindingError) return std::nullopt;
  Response response{.id = header.id};
  std::optional<Endpoint> plain;
  bool fingerprint = false;
  const bool whole =
      for_each_attribute(datagram, fingerprint, [&](std::uint16_t type, ByteView value) {
        if (type == kXorMappedAddress && !response.mapped) {
          // The mask is the cookie and the transaction id, as they stand.
          response.mapped = read_address(value, datagram.subspan(4, 16));
        } else if (type == kMappedAddress && !plain) {
          plain = read_address(value, {});
        }
      });
  if (!whole) return std::nullopt;
  if (header.type == kBindingError) {
    response.mapped.reset();
  } else if (!response.mapped) {
    if (!plain) return std::nullopt;
    response.mapped = plain;
  }
  return response;
}

Message encode_request(const TransactionId& id, const AnswerBy& by) {
  std::array<std::uint8_t, kHeader + 16> buffer;
  ByteWriter writer(buffer);
  write_header(writer, kBindingRequest, id);
  if (by.from_other_port) {
    writer.be<std::uint16_t>(kChangeRequest);
    writer.be<std::uint16_t>(4);
    writer.be(kChangePort);
  }
  if (by.response_port != 0) {
    writer.be<std::uint16_t>(kResponsePort);
    writer.be<std::uint16_t>(4);
    writer.be(by.response_port);
    writer.be<std::uint16_t>(0);
  }
  return finish(writer, false);
}

Message encode_response(const Request& request, const Endpoint& source) {
  std::array<std::uint8_t, kHeader + 64> buffer;
  ByteWriter writer(buffer);
  if (request.not_known.empty()) {
    write_header(writer, kBindingSuccess, request.id);
    write_xor_mapped(writer, source, request.id);
  } else {
    write_header(writer, kBindingError, request.id);
    write_unknown(writer, request.not_known);
  }
  return finish(writer, request.fingerprint);
}

}  // namespace ipop::overlay::stun
