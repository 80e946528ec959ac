#include "app/doctor/network_cards.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

namespace ipop::app {
namespace {

namespace fs = std::filesystem;

// Cards of clouds, by vendor and device.
constexpr std::pair<std::string_view, std::string_view> kById[] = {
    {"1d0f:ec20", "net_ena"},    {"1d0f:ec21", "net_ena"},    {"1d0f:0ec2", "net_ena"},
    {"1d0f:1ec2", "net_ena"},    {"1ae0:0042", "net_gve"},    {"15ad:07b0", "net_vmxnet3"},
    {"1af4:1000", "net_virtio"}, {"1af4:1041", "net_virtio"},
};

// Of Intel's many, the kernel's driver tells which.
constexpr std::pair<std::string_view, std::string_view> kByKernelDriver[] = {
    {"e1000", "net_e1000"}, {"e1000e", "net_e1000"},     {"igb", "net_e1000"}, {"igc", "net_igc"},
    {"ixgbe", "net_ixgbe"}, {"ixgbevf", "net_ixgbe"},    {"i40e", "net_i40e"}, {"iavf", "net_iavf"},
    {"ice", "net_ice"},     {"hv_netvsc", "net_netvsc"},
};

constexpr std::string_view kHandsOver[] = {"vfio-pci", "uio_pci_generic", "igb_uio",
                                           "uio_hv_generic"};

// The class of a network device on VMBus.
constexpr std::string_view kVmbusNetwork = "{f8615163-df3e-46c5-913f-f2d2f965ed0e}";

std::string first_line(const fs::path& file) {
  std::ifstream in(file);
  std::string line;
  std::getline(in, line);
  return line;
}

// "0x8086" → "8086".
std::string id_in(const fs::path& file) {
  const std::string text = first_line(file);
  return text.starts_with("0x") ? text.substr(2) : text;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    names.push_back(entry.path().filename());
  std::ranges::sort(names);
  return names;
}

template <typename Table>
std::string_view look_up(const Table& table, std::string_view key) {
  const auto* const found =
      std::ranges::find(table, key, [](const auto& entry) { return entry.first; });
  return found == std::end(table) ? std::string_view() : found->second;
}

// On PCI its interfaces stand in net/, but those of virtio one folder deeper.
std::vector<std::string> interfaces_of(const fs::path& device) {
  std::vector<std::string> names = names_in(device / "net");
  for (const std::string& inner : names_in(device)) {
    if (!inner.starts_with("virtio")) continue;
    const auto more = names_in(device / inner / "net");
    names.insert(names.end(), more.begin(), more.end());
  }
  return names;
}

NetworkCard describe(const fs::path& device) {
  NetworkCard card{.address = device.filename(),
                   .ids = {},
                   .kernel_driver = {},
                   .interfaces = interfaces_of(device),
                   .dpdk_driver = {}};
  std::error_code none;
  const fs::path driver = fs::read_symlink(device / "driver", none);
  if (!none) card.kernel_driver = driver.filename();
  return card;
}

bool is_handed_over(const NetworkCard& card) {
  return std::ranges::find(kHandsOver, card.kernel_driver) != std::end(kHandsOver);
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

Finding judge(const NetworkCard& card) {
  using enum Finding::Level;
  Finding finding{.level = kGood, .topic = "card " + card.address, .text = {}, .advice = {}};
  const std::string name = card.ids.empty() ? "" : " (" + card.ids + ")";
  const std::string driver = card.dpdk_driver.empty() ? "" : ", for DPDK " + card.dpdk_driver;
  if (is_handed_over(card)) {
    finding.text = "handed over by " + card.kernel_driver + name + driver;
    if (card.dpdk_driver == "net_ena" && card.kernel_driver == "vfio-pci") {
      finding.level = kNote;
      finding.advice =
          "without write combining this card sends slowly: load igb_uio with wc_activate=1, or a "
          "vfio-pci that maps write-combined";
    }
    return finding;
  }
  finding.text = card.kernel_driver.empty() ? "bound to no driver" + name
                                            : "the kernel's, by " + card.kernel_driver + name;
  if (!card.interfaces.empty()) finding.text += ", interface " + join(card.interfaces);
  finding.text += driver;
  if (card.dpdk_driver.empty()) {
    finding.level = kNote;
    finding.advice = "no DPDK driver of this build takes it" +
                     (card.interfaces.empty()
                          ? std::string()
                          : "; as a DPDK wire, use net_af_xdp0,iface=" + card.interfaces.front());
  }
  return finding;
}

}  // namespace

std::vector<NetworkCard> find_network_cards(const fs::path& root) {
  std::vector<NetworkCard> cards;
  const fs::path pci = root / "sys/bus/pci/devices";
  for (const std::string& address : names_in(pci)) {
    const fs::path device = pci / address;
    if (!first_line(device / "class").starts_with("0x0200")) continue;
    NetworkCard card = describe(device);
    card.ids = id_in(device / "vendor") + ":" + id_in(device / "device");
    card.dpdk_driver = look_up(kById, card.ids);
    if (card.dpdk_driver.empty()) card.dpdk_driver = look_up(kByKernelDriver, card.kernel_driver);
    cards.push_back(std::move(card));
  }
  const fs::path vmbus = root / "sys/bus/vmbus/devices";
  for (const std::string& address : names_in(vmbus)) {
    if (first_line(vmbus / address / "class_id") != kVmbusNetwork) continue;
    NetworkCard card = describe(vmbus / address);
    card.dpdk_driver = "net_netvsc";
    cards.push_back(std::move(card));
  }
  return cards;
}

Findings judge_network_cards(const std::vector<NetworkCard>& cards) {
  Findings findings;
  for (const NetworkCard& card : cards)
    findings.push_back(judge(card));
  return findings;
}

}  // namespace ipop::app
