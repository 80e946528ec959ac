#include "overlay/directory/dht_message.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace ipop::overlay {
namespace {

enum class Type : std::uint8_t { kNil, kBool, kUnsigned, kNegative, kText, kBinary, kArray, kMap };

// One MessagePack object; of arrays and maps only the head.
struct Item {
  Type type = Type::kNil;
  std::uint32_t count = 0;  // elements of an array, pairs of a map
  ByteView bytes{};         // of text and binary
};

// Far more than the deepest and longest that OpenDHT writes.
constexpr unsigned kMaxDepth = 8;
constexpr std::uint32_t kMaxCount = 512;

// Reads MessagePack (msgpack/spec.md) front to back. A malformed object, or one of a kind that
// OpenDHT does not write (floats, extensions), makes `ok()` false for good.
class MessagePackReader {
 public:
  explicit MessagePackReader(ByteView bytes) noexcept : in_(bytes) {}

  [[nodiscard]] bool ok() const noexcept { return ok_ && in_.ok(); }
  [[nodiscard]] bool at_end() const noexcept { return in_.remaining() == 0; }

  [[nodiscard]] Item next() noexcept {
    const std::uint8_t head = in_.u8();
    if (head < 0x80) return {.type = Type::kUnsigned};
    if (head < 0x90) return counted(Type::kMap, head & 0x0fu);
    if (head < 0xa0) return counted(Type::kArray, head & 0x0fu);
    if (head < 0xc0) return sized(Type::kText, head & 0x1fu);
    if (head >= 0xe0) return {.type = Type::kNegative};
    switch (head) {
      case 0xc0:
        return {.type = Type::kNil};
      case 0xc2:
      case 0xc3:
        return {.type = Type::kBool};
      case 0xc4:
        return sized(Type::kBinary, in_.u8());
      case 0xc5:
        return sized(Type::kBinary, in_.be<std::uint16_t>());
      case 0xcc:
      case 0xcd:
      case 0xce:
      case 0xcf:
        (void)in_.bytes(std::size_t{1} << (head - 0xcc));
        return {.type = Type::kUnsigned};
      case 0xd0:
      case 0xd1:
      case 0xd2:
      case 0xd3:
        (void)in_.bytes(std::size_t{1} << (head - 0xd0));
        return {.type = Type::kNegative};
      case 0xd9:
        return sized(Type::kText, in_.u8());
      case 0xda:
        return sized(Type::kText, in_.be<std::uint16_t>());
      case 0xdc:
        return counted(Type::kArray, in_.be<std::uint16_t>());
      case 0xde:
        return counted(Type::kMap, in_.be<std::uint16_t>());
      default:
        return failed();
    }
  }

  Item failed() noexcept {
    ok_ = false;
    return {};
  }

 private:
  Item sized(Type type, std::size_t size) noexcept {
    return {.type = type, .bytes = in_.bytes(size)};
  }
  Item counted(Type type, std::uint32_t count) noexcept {
    if (count > kMaxCount) return failed();
    return {.type = type, .count = count};
  }

  ByteReader in_;
  bool ok_ = true;
};

using Check = void (*)(MessagePackReader&, unsigned depth) noexcept;

void skip_rest(MessagePackReader& in, const Item& item, unsigned depth) noexcept;

void any(MessagePackReader& in, unsigned depth) noexcept {
  skip_rest(in, in.next(), depth);
}

void skip_rest(MessagePackReader& in, const Item& item, unsigned depth) noexcept {
  if (item.type != Type::kArray && item.type != Type::kMap) return;
  if (depth == 0) {
    in.failed();
    return;
  }
  const std::uint32_t count = item.type == Type::kMap ? 2 * item.count : item.count;
  for (std::uint32_t i = 0; i < count && in.ok(); ++i)
    any(in, depth - 1);
}

template <Type kType>
void only(MessagePackReader& in, unsigned /*depth*/) noexcept {
  if (in.next().type != kType) in.failed();
}

template <std::size_t kMin, std::size_t kMax>
void binary(MessagePackReader& in, unsigned /*depth*/) noexcept {
  const Item item = in.next();
  if (item.type != Type::kBinary || item.bytes.size() < kMin || item.bytes.size() > kMax) {
    in.failed();
  }
}

template <Check kElement, std::uint32_t kMin = 0>
void array_of(MessagePackReader& in, unsigned depth) noexcept {
  const Item head = in.next();
  if (head.type != Type::kArray || head.count < kMin || depth == 0) {
    in.failed();
    return;
  }
  for (std::uint32_t i = 0; i < head.count && in.ok(); ++i)
    kElement(in, depth - 1);
}

struct Field {
  std::string_view name;
  Check check;
};

// A map whose keys are text, none twice, and whose known ones have the types that OpenDHT relies
// on. Unknown ones may be anything: OpenDHT does not look at them. `seen`, if given, tells which of
// the known ones stood there.
void check_map(MessagePackReader& in, unsigned depth, std::span<const Field> fields,
               std::span<bool> seen) noexcept {
  const Item head = in.next();
  if (head.type != Type::kMap || depth == 0) {
    in.failed();
    return;
  }
  for (std::uint32_t i = 0; i < head.count && in.ok(); ++i) {
    const Item key = in.next();
    if (key.type != Type::kText) {
      in.failed();
      return;
    }
    const std::string_view name(reinterpret_cast<const char*>(key.bytes.data()), key.bytes.size());
    const auto field = std::ranges::find(fields, name, &Field::name);
    if (field == fields.end()) {
      any(in, depth - 1);
      continue;
    }
    const auto index = static_cast<std::size_t>(field - fields.begin());
    if (seen[index]) in.failed();
    seen[index] = true;
    field->check(in, depth - 1);
  }
}

template <const auto& kFields>
void map_of(MessagePackReader& in, unsigned depth) noexcept {
  std::array<bool, kFields.size()> seen{};
  check_map(in, depth, kFields, seen);
}

// A value in full: {"id": …, "dat": {"body": {…}, "sig": …} or encrypted bytes}; or its size, if it
// follows in parts.
void value(MessagePackReader& in, unsigned depth) noexcept;

constexpr std::array kBodyFields = {
    Field{"owner", any},
    Field{"to", binary<20, 20>},
    Field{"type", only<Type::kUnsigned>},
    Field{"data", only<Type::kBinary>},
    Field{"utype", only<Type::kText>},
    Field{"seq", only<Type::kUnsigned>},
};
constexpr std::array kDatFields = {
    Field{"body", map_of<kBodyFields>},
    Field{"sig", only<Type::kBinary>},
};

void dat(MessagePackReader& in, unsigned depth) noexcept {
  MessagePackReader ahead = in;
  if (ahead.next().type == Type::kBinary) {
    in = ahead;
  } else {
    map_of<kDatFields>(in, depth);
  }
}

constexpr std::array kValueFields = {
    Field{"id", only<Type::kUnsigned>},
    Field{"dat", dat},
    Field{"prio", only<Type::kUnsigned>},
};

void value(MessagePackReader& in, unsigned depth) noexcept {
  MessagePackReader ahead = in;
  if (ahead.next().type == Type::kUnsigned) {
    in = ahead;
  } else {
    map_of<kValueFields>(in, depth);
  }
}

// A condition of a query: a field's number and what it must be.
constexpr std::array kConditionFields = {
    Field{"f", only<Type::kUnsigned>},
    Field{"v", any},
};
constexpr std::array kQueryFields = {
    Field{"s", array_of<only<Type::kUnsigned>>},
    Field{"w", array_of<map_of<kConditionFields>>},
};

// Selected fields of values, row after row: {"f": numbers, "v": as many objects per row}.
void rows(MessagePackReader& in, unsigned depth) noexcept {
  MessagePackReader heads = in;
  std::uint32_t columns = 0;
  std::uint32_t cells = 0;
  const Item map = heads.next();
  for (std::uint32_t i = 0; map.type == Type::kMap && i < map.count && heads.ok(); ++i) {
    const Item key = heads.next();
    const Item list = heads.next();
    const bool is_columns = key.bytes.size() == 1 && key.bytes[0] == 'f';
    (is_columns ? columns : cells) = list.count;
    skip_rest(heads, list, kMaxDepth);
  }
  static constexpr std::array kRowFields = {
      Field{"f", array_of<only<Type::kUnsigned>, 1>},
      Field{"v", array_of<any>},
  };
  map_of<kRowFields>(in, depth);
  if (columns == 0 || cells % columns != 0) in.failed();
}

constexpr std::array kBodyOfMessage = {
    Field{"id", binary<20, 20>},
    Field{"h", binary<20, 20>},
    Field{"target", binary<20, 20>},
    Field{"token", binary<0, 64>},
    Field{"sa", binary<4, 18>},
    Field{"n4", binary<0, 26 * 64>},
    Field{"n6", binary<0, 38 * 64>},
    Field{"q", map_of<kQueryFields>},
    Field{"w", array_of<only<Type::kUnsigned>>},
    Field{"values", array_of<value>},
    Field{"fileds", rows},  // spelt like this on the wire
    Field{"re", array_of<only<Type::kUnsigned>>},
    Field{"exp", array_of<only<Type::kUnsigned>>},
    Field{"vid", only<Type::kUnsigned>},
    Field{"sid", only<Type::kUnsigned>},
    Field{"ve", only<Type::kUnsigned>},
    Field{"c", any},
};

void error(MessagePackReader& in, unsigned /*depth*/) noexcept {
  const Item head = in.next();
  if (head.type != Type::kArray || head.count != 2 || in.next().type != Type::kUnsigned ||
      in.next().type != Type::kText) {
    in.failed();
  }
}

constexpr std::array kPartFields = {
    Field{"o", only<Type::kUnsigned>},
    Field{"d", only<Type::kBinary>},
};

// Parts of values: {number of the value: {"o": offset, "d": bytes}, …}.
void parts(MessagePackReader& in, unsigned depth) noexcept {
  const Item head = in.next();
  if (head.type != Type::kMap || depth == 0) {
    in.failed();
    return;
  }
  for (std::uint32_t i = 0; i < head.count && in.ok(); ++i) {
    if (in.next().type != Type::kUnsigned) in.failed();
    std::array<bool, kPartFields.size()> seen{};
    check_map(in, depth - 1, kPartFields, seen);
    if (!seen[0] || !seen[1]) in.failed();
  }
}

constexpr std::array kMessageFields = {
    Field{"y", only<Type::kText>},
    Field{"t", only<Type::kUnsigned>},
    Field{"q", only<Type::kText>},
    Field{"a", map_of<kBodyOfMessage>},
    Field{"r", map_of<kBodyOfMessage>},
    Field{"u", map_of<kBodyOfMessage>},
    Field{"e", error},
    Field{"p", parts},
    Field{"n", only<Type::kUnsigned>},
    Field{"v", only<Type::kText>},
    Field{"s", only<Type::kBool>},
};
constexpr std::size_t kY = 0, kT = 1, kQ = 2, kA = 3, kR = 4, kU = 5, kE = 6, kP = 7;

}  // namespace

bool is_dht_message(ByteView datagram) noexcept {
  MessagePackReader in(datagram);
  std::array<bool, kMessageFields.size()> seen{};
  check_map(in, kMaxDepth, kMessageFields, seen);
  if (!in.ok() || !in.at_end() || !seen[kY] || !seen[kT]) return false;
  const bool request = seen[kQ] && seen[kA];
  if (seen[kQ] != seen[kA]) return false;
  return request || seen[kR] || seen[kU] || seen[kE] || seen[kP];
}

}  // namespace ipop::overlay
