// The section `wire`: what it may say, and what is said about the rest.
#include <gtest/gtest.h>

#include "conf/load.hpp"

namespace ipop::conf {
namespace {

// Good sections before it: `wire` is in line 2.
const std::string kGood = "network: {name: n, address: 10.0.0.1/24}\n";

Wire wire_of(const std::string& keys) {
  const auto loaded = load_text(kGood + "wire: {" + keys + "}\n", "f");
  EXPECT_TRUE(loaded) << keys << "\n" << to_string(loaded.error());
  return loaded ? loaded->wire : Wire{};
}

// Behind the file's name.
std::string errors_of(const std::string& wire, const std::string& overlay = "") {
  const auto loaded = load_text(kGood + "wire: {" + wire + "}\n" + overlay, "f");
  if (loaded) return "";
  std::string text = to_string(loaded.error());
  for (std::size_t at = 0; (at = text.find("f:", at)) != std::string::npos; ++at)
    if (at == 0 || text[at - 1] == '\n') text.erase(at, 2);
  return text;
}

const std::string kCard = "backend: dpdk, device: \"00:05.0\"";
const std::string kFour = ", address: 192.0.2.10/24";
const std::string kSix = ", address6: \"2001:db8::10/64\"";

TEST(Wire, ReadsEveryKey) {
  const Wire wire =
      wire_of("backend: dpdk, device: \"0000:00:05.0\"" + kFour + kSix +
              ", gateway: 192.0.2.1, gateway6: \"fe80::1\", vlan: 4094, mtu: 9000, queues: auto");
  EXPECT_EQ(wire, (Wire{.backend = WireBackend::kDpdk,
                        .device = "0000:00:05.0",
                        .address = *Prefix::parse("192.0.2.10/24"),
                        .address6 = *Prefix::parse("2001:db8::10/64"),
                        .gateway = *IpAddress::parse("192.0.2.1"),
                        .gateway6 = *IpAddress::parse("fe80::1"),
                        .vlan = 4094,
                        .mtu = 9000}));
}

TEST(Wire, IsASocketUnlessToldOtherwise) {
  for (const char* keys :
       {"", "backend: socket", "backend: socket, device: \"\"", "mtu: auto, vlan: none",
        "address: \"\", address6: \"\", gateway: \"\", gateway6: \"\"", "device: ~", "mtu: 1500"}) {
    EXPECT_EQ(wire_of(keys), Wire{}) << keys;
  }
}

TEST(Wire, TakesDevicesOfAllKinds) {
  for (const char* device : {"00:05.0", "0000:00:05.0", "10000:00:05.0", "ffFF:1a:1f.7,arg=1"}) {
    const bool is_one = std::string_view(device) != "10000:00:05.0";
    EXPECT_EQ(errors_of("backend: dpdk, device: \"" + std::string(device) + "\"" + kFour).empty(),
              is_one)
        << device;
  }
  // Its interface has the address.
  for (const char* device : {"net_af_packet0,iface=eth0", "net_af_xdp0,start_queue=3,iface=eth0"}) {
    EXPECT_EQ(wire_of("backend: dpdk, device: \"" + std::string(device) + "\"").device, device);
  }
  const std::string longest = "net_" + std::string(252, 'x');
  EXPECT_EQ(wire_of("backend: dpdk, device: " + longest + kSix).device, longest);
}

TEST(Wire, TakesNumbersAtTheEdges) {
  EXPECT_EQ(wire_of(kCard + kFour + ", vlan: 1, mtu: 1280").vlan, 1);
  EXPECT_EQ(wire_of(kCard + kFour + ", vlan: 1, mtu: 1280").mtu, 1280);
  EXPECT_EQ(wire_of(kCard + kFour + ", vlan: none, mtu: auto"), wire_of(kCard + kFour));
}

TEST(Wire, RefusesWhatIsNone) {
  const std::string not_a_device =
      "2:31: wire.device: \"%\" is not a device such as 0000:00:05.0 or net_af_xdp0,iface=eth0";
  const auto device = [&](const std::string& text, std::string shown = "") {
    if (shown.empty()) shown = text;
    std::string message = not_a_device;
    message.replace(message.find('%'), 1, shown);
    const std::string said = errors_of("backend: dpdk, device: \"" + text + "\"" + kFour);
    EXPECT_EQ(said.substr(0, message.size()), message) << text;
  };
  for (const char* text : {"eth0", "net_", "05.0", "00:05", "00:05.00", "0g:05.0", "00.05:0",
                           "0000.00:05.0", "net_x,iface=a b", " net_x"}) {
    device(text);
  }
  device("net_" + std::string(253, 'x'), "net_" + std::string(56, 'x') + "…");

  const std::string no_four = " is not the address of a router, such as 192.0.2.1\n";
  const std::string no_six = " is not the address of a router, such as fe80::1\n";
  const struct {
    std::string wire;
    std::string errors;
  } cases[] = {
      {"backend: xdp", "2:17: wire.backend: \"xdp\" is not one of: socket, dpdk\n"},
      {kCard + ", address: 192.0.2.10" + kSix,
       "2:51: wire.address: \"192.0.2.10\" lacks its prefix length, as in 192.168.10.10/24\n"},
      {kCard + ", address: 192.0.2.0/24" + kSix,
       "2:51: wire.address: \"192.0.2.0/24\" is the address of the subnet itself, not a host's\n"},
      {kCard + kFour + ", address6: 192.0.2.10/24",
       "2:76: wire.address6: \"192.0.2.10/24\" is not IPv6\n"},
      {kCard + kFour + ", gateway: 192.0.2.1/24", "2:75: wire.gateway: \"192.0.2.1/24\"" + no_four},
      {kCard + kFour + ", gateway: \"fe80::1\"", "2:75: wire.gateway: \"fe80::1\"" + no_four},
      {kCard + kFour + ", gateway: 224.0.0.1", "2:75: wire.gateway: \"224.0.0.1\"" + no_four},
      {kCard + kFour + ", gateway: 0.0.0.0", "2:75: wire.gateway: \"0.0.0.0\"" + no_four},
      {kCard + kFour + ", gateway: 127.0.0.1", "2:75: wire.gateway: \"127.0.0.1\"" + no_four},
      {kCard + kSix + ", gateway6: 192.0.2.1", "2:81: wire.gateway6: \"192.0.2.1\"" + no_six},
      {kCard + kSix + ", gateway6: \"ff02::1\"", "2:81: wire.gateway6: \"ff02::1\"" + no_six},
      {kCard + kSix + ", gateway6: \"::\"", "2:81: wire.gateway6: \"::\"" + no_six},
      {kCard + kFour + ", vlan: 0",
       "2:72: wire.vlan: \"0\" is not none or a number from 1 to 4094\n"},
      {kCard + kFour + ", vlan: 4095",
       "2:72: wire.vlan: \"4095\" is not none or a number from 1 to 4094\n"},
      {kCard + kFour + ", mtu: 1279",
       "2:71: wire.mtu: \"1279\" is not auto or a number from 1280 to 9000\n"},
      {kCard + kFour + ", mtu: 9001",
       "2:71: wire.mtu: \"9001\" is not auto or a number from 1280 to 9000\n"},
      {kCard + kFour + ", queues: 2",
       "2:74: wire.queues is not supported yet; leave it out or set it to auto\n"},
  };
  for (const auto& test : cases)
    EXPECT_EQ(errors_of(test.wire), test.errors) << test.wire;
}

TEST(Wire, RefusesWhatASocketHasNoUseFor) {
  const struct {
    const char* key;
    const char* value;
  } cases[] = {{"device", "net_memif0"}, {"address", "192.0.2.10/24"}, {"address6", "fd00::10/64"},
               {"gateway", "192.0.2.1"}, {"gateway6", "\"fe80::1\""},  {"vlan", "7"},
               {"mtu", "1400"}};
  for (const auto& [key, value] : cases) {
    const std::string name = std::string("wire.") + key;
    const std::size_t column = 8 + std::string_view(key).size() + 2;
    EXPECT_EQ(errors_of(std::string(key) + ": " + value),
              "2:" + std::to_string(column) + ": " + name + " is for wire.backend dpdk alone\n");
    EXPECT_EQ(errors_of(std::string(key) + ": " + value + ", backend: socket"),
              "2:" + std::to_string(column) + ": " + name + " is for wire.backend dpdk alone\n");
  }
}

TEST(Wire, NeedsWhatItCannotFindOut) {
  const struct {
    std::string wire;
    std::string errors;
  } cases[] = {
      {"backend: dpdk", "2:17: wire.backend: dpdk needs wire.device\n"},
      {"backend: dpdk, device: \"\"" + kFour, "2:17: wire.backend: dpdk needs wire.device\n"},
      {kCard,
       "2:31: wire.device: no interface of the kernel's says which address it has; set "
       "wire.address or wire.address6\n"},
      {"backend: dpdk, device: net_memif0",
       "2:31: wire.device: no interface of the kernel's says which address it has; set "
       "wire.address or wire.address6\n"},
      {kCard + kSix + ", gateway: 192.0.2.1", "2:80: wire.gateway needs wire.address\n"},
      {kCard + kFour + ", gateway6: \"fe80::1\"", "2:76: wire.gateway6 needs wire.address6\n"},
      {"backend: dpdk, device: \"net_af_xdp0,iface=eth0\", gateway: 192.0.2.1",
       "2:66: wire.gateway needs wire.address\n"},
  };
  for (const auto& test : cases)
    EXPECT_EQ(errors_of(test.wire), test.errors) << test.wire;
}

TEST(Wire, IsNotBlamedForWhatWasRefused) {
  EXPECT_EQ(errors_of("backend: xdp, device: net_memif0" + kFour),
            "2:17: wire.backend: \"xdp\" is not one of: socket, dpdk\n");
  EXPECT_EQ(errors_of(kCard + ", address: x, gateway: 192.0.2.1"),
            "2:51: wire.address: \"x\" is not an address with a prefix length, such as "
            "192.168.10.10/24\n");
}

TEST(Wire, IsListenedToAtItsOwnAddresses) {
  const auto said = [](const std::string& wire, const std::string& listen) {
    return errors_of(wire, "overlay: {listen: [" + listen + "]}\n");
  };
  EXPECT_EQ(said(kCard + kFour, "\"192.0.2.10:4545\""), "");
  EXPECT_EQ(said(kCard + kFour + kSix, "\"192.0.2.10:1\", \"[2001:db8::10]:1\""), "");
  EXPECT_EQ(said(kCard + kFour, "\"0.0.0.0:1\", \"[::]:1\""), "");
  EXPECT_EQ(said(kCard + kFour, "\"192.0.2.11:4545\""),
            "3:20: overlay.listen: 192.0.2.11 is not an address of the wire\n");
  EXPECT_EQ(said(kCard + kFour, "\"0.0.0.0:1\", \"[2001:db8::10]:1\""),
            "3:33: overlay.listen: 2001:db8::10 is not an address of the wire\n");
  // The kernel knows which it has.
  EXPECT_EQ(said("backend: dpdk, device: \"net_af_xdp0,iface=eth0\"", "\"192.0.2.11:4545\""), "");
}

}  // namespace
}  // namespace ipop::conf
