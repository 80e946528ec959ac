#include "app/doctor/machine.hpp"

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>

namespace ipop::app {
namespace {

namespace fs = std::filesystem;
using enum Finding::Level;

constexpr unsigned kCapNetAdmin = 12;  // linux/capability.h
// The daemon with one lcore takes 86 MiB unless the configuration makes it take more.
constexpr std::uint64_t kUsualHugepagesMb = 86;

// The rest of the first line that starts with `key`, behind its colon.
std::string field(const fs::path& file, std::string_view key) {
  std::ifstream in(file);
  std::string line;
  while (std::getline(in, line)) {
    if (!line.starts_with(key)) continue;
    const std::size_t colon = line.find(':');
    return colon == std::string::npos ? "" : line.substr(colon + 1);
  }
  return {};
}

bool has_word(const std::string& text, std::string_view wanted) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

Finding examine_rights(const fs::path& root) {
  const std::string bits = field(root / "proc/self/status", "CapEff");
  const auto effective = std::strtoull(bits.c_str(), nullptr, 16);
  if ((effective >> kCapNetAdmin & 1) != 0) {
    return {.level = kGood, .topic = "rights", .text = "interfaces may be made", .advice = {}};
  }
  return {.level = kProblem,
          .topic = "rights",
          .text = "interfaces may not be made",
          .advice = "run as root, or give the daemon CAP_NET_ADMIN"};
}

Finding examine_tap(const fs::path& root) {
  std::error_code error;
  if (fs::exists(root / "dev/net/tun", error)) {
    return {.level = kGood, .topic = "tap", .text = "/dev/net/tun is there", .advice = {}};
  }
  return {.level = kProblem,
          .topic = "tap",
          .text = "there is no /dev/net/tun",
          .advice = "modprobe tun; in a container, pass the device in"};
}

Finding examine_processor(const fs::path& root) {
  const std::string flags = field(root / "proc/cpuinfo", "flags");
  Finding finding{.level = kGood, .topic = "processor", .text = {}, .advice = {}};
  if (!has_word(flags, "aes")) {
    finding.level = kNote;
    finding.text = "no AES instructions: ChaCha20-Poly1305 alone";
    finding.advice = "on virtual machines, choose a processor model that passes them on";
  } else if (has_word(flags, "vaes") && has_word(flags, "vpclmulqdq") &&
             has_word(flags, "avx512bw") && has_word(flags, "avx512ifma")) {
    finding.text = "AES-256-GCM and ChaCha20-Poly1305 with AVX-512";
  } else if (has_word(flags, "vaes")) {
    finding.text = "AES-256-GCM with vector AES";
  } else {
    finding.text = "AES-256-GCM with AES instructions";
  }
  return finding;
}

Finding examine_hugepages(const fs::path& root) {
  const std::uint64_t free_mb = free_hugepages_mb(root);
  const std::string free = std::to_string(free_mb) + " MiB are free";
  if (free_mb >= kUsualHugepagesMb) {
    return {.level = kGood, .topic = "hugepages", .text = free, .advice = {}};
  }
  return {.level = kNote,
          .topic = "hugepages",
          .text = free_mb == 0 ? "none is free; the daemon does without"
                               : free + ", too few; the daemon does without",
          .advice =
              "faster with them, and a card without an IOMMU needs them: sysctl -w "
              "vm.nr_hugepages=256"};
}

Finding examine_vfio(const fs::path& root) {
  Finding finding{.level = kGood, .topic = "vfio", .text = {}, .advice = {}};
  std::error_code error;
  if (has_iommu(root)) {
    finding.text = "there is an IOMMU";
  } else if (allows_no_iommu(root)) {
    finding.text = "there is no IOMMU, and vfio does without";
  } else {
    finding.level = kNote;
    finding.text = "there is no IOMMU";
    finding.advice =
        "to hand a card to the daemon all the same: modprobe vfio-pci; echo 1 > "
        "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode; where the kernel has no such "
        "file, bind the card to uio_pci_generic";
    return finding;
  }
  if (!fs::exists(root / "sys/module/vfio_pci", error)) {
    finding.level = kNote;
    finding.text += ", but vfio-pci is not loaded";
    finding.advice = "to hand a card to the daemon: modprobe vfio-pci";
  }
  return finding;
}

}  // namespace

std::uint64_t free_hugepages_mb(const fs::path& root) {
  std::uint64_t kilobytes = 0;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(root / "sys/kernel/mm/hugepages", ignored)) {
    // hugepages-2048kB
    const std::string name = entry.path().filename();
    const std::size_t dash = name.find('-');
    std::ifstream file(entry.path() / "free_hugepages");
    std::uint64_t pages = 0;
    if (dash == std::string::npos || !(file >> pages)) continue;
    kilobytes += pages * std::strtoull(name.c_str() + dash + 1, nullptr, 10);
  }
  return kilobytes / 1024;
}

bool has_iommu(const fs::path& root) {
  std::error_code error;
  const fs::directory_iterator units(root / "sys/class/iommu", error);
  return !error && units != fs::directory_iterator();
}

bool allows_no_iommu(const fs::path& root) {
  std::ifstream file(root / "sys/module/vfio/parameters/enable_unsafe_noiommu_mode");
  char set = 'N';
  return (file >> set) && (set == 'Y' || set == '1');
}

Findings examine_machine(const fs::path& root) {
  return {examine_rights(root), examine_tap(root), examine_processor(root), examine_hugepages(root),
          examine_vfio(root)};
}

}  // namespace ipop::app
