// Packets of a few flows, made and spoilt as the bytes say, through the coalescer: what comes out,
// cut again by the model, is what went in.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

#include "tests/unit/engine/merging.hpp"

namespace {

using namespace ipop;
using namespace ipop::engine;

class Reader {
 public:
  Reader(const std::uint8_t* data, std::size_t size) : at_(data), end_(data + size) {}
  [[nodiscard]] bool empty() const { return at_ == end_; }
  std::uint8_t byte() { return empty() ? std::uint8_t{0} : *at_++; }

 private:
  const std::uint8_t* at_;
  const std::uint8_t* end_;
};

std::array<PacketSpec, 8> flows() {
  std::array<PacketSpec, 8> made;
  for (std::size_t i = 0; i < made.size(); ++i) {
    made[i].is_tcp = (i & 1) != 0;
    made[i].never_cut = (i & 4) != 0;
    made[i].from_port = static_cast<std::uint16_t>(4000 + (i & 4));
    if ((i & 2) == 0) continue;
    made[i].from = ip("fd00::1");
    made[i].to = ip("fd00::2");
  }
  return made;
}

// One change to the packet alone, or to its flow from now on.
void change(PacketSpec& flow, PacketSpec& spec, std::uint8_t what, std::uint8_t value) {
  switch (what % 12) {
    case 0:
      spec.flags = value;
      break;
    case 1:
      flow.sequence += value;  // a loss
      break;
    case 2:
      flow.id = static_cast<std::uint16_t>(flow.id + value);
      break;
    case 3:
      flow.traffic_class = value;
      break;
    case 4:
      flow.tcp_options.assign(value % 11 * 4, 1);
      break;
    case 5:
      spec.ip_options.assign(spec.from.is_v4() ? value % 11 * 4 : value % 3 * 8, 1);
      break;
    case 6:
      flow.hop_limit = value;
      break;
    case 7:
      flow.acknowledged += value;
      break;
    case 8:
      flow.checksum = static_cast<Checksum>(value % 4);
      break;
    case 9:
      flow.never_cut = value % 2 != 0;
      break;
    case 10:
      flow.is_tcp = value % 2 != 0;
      break;
    default:
      flow.urgent = value;
      break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 4096) return 0;
  Reader reader(data, size);
  auto all = flows();
  Merging merging({.tcp = size % 16 != 0, .udp = size % 16 != 1});
  Arrival last;
  while (!reader.empty()) {
    const std::uint8_t what = reader.byte();
    if (what == 0xff) merging.finish_turn();
    if (what == 0xfe) merging.add(last);
    if (what >= 0xfe) continue;
    PacketSpec& flow = all[what % all.size()];
    if ((what & 0x10) != 0) {
      PacketSpec unused;
      change(flow, unused, reader.byte(), reader.byte());
    }
    PacketSpec spec = flow;
    spec.payload.assign(reader.byte() * ((what & 0x20) != 0 ? 40u : 1u), what);
    if ((what & 0x40) != 0) change(flow, spec, reader.byte(), reader.byte());
    flow.sequence += static_cast<std::uint32_t>(spec.payload.size());
    ++flow.id;
    last = {build(spec), spec.checksum == Checksum::kPartial};
    if ((what & 0x80) != 0) {
      const std::size_t at = reader.byte();
      last.packet[at % last.packet.size()] ^= reader.byte();
    }
    merging.add(last);
  }
  merging.finish_turn();
  if (const std::string wrong = merging.complaint(); !wrong.empty()) {
    std::fprintf(stderr, "%s\n", wrong.c_str());
    std::abort();
  }
  return 0;
}
