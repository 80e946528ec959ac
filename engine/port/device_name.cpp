#include "engine/port/device_name.hpp"

#include <net/if.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <system_error>

namespace ipop::engine {
namespace {

// 00:05.0, without its domain.
constexpr std::size_t kShortPci = 7;
constexpr std::string_view kPciForm = "xxxx:xx:xx.x";

bool has_form(std::string_view text, std::string_view form) noexcept {
  return std::ranges::equal(text, form, [](char is, char wanted) {
    return wanted == 'x' ? std::isxdigit(static_cast<unsigned char>(is)) != 0 : is == wanted;
  });
}

// Drivers that hand a PCI device to a program.
constexpr std::string_view kUserDrivers[] = {"vfio-pci", "uio_pci_generic", "igb_uio",
                                             "uio_hv_generic"};

// How drivers are asked for more than one queue; all others are told when they are configured.
struct QueueArgument {
  std::string_view driver;
  std::string_view name;
};
constexpr QueueArgument kQueueArguments[] = {
    {"net_af_packet", "qpairs"}, {"net_af_xdp", "queue_count"}, {"net_virtio_user", "queues"}};

const QueueArgument* queue_argument_of(std::string_view device) noexcept {
  const auto* const found = std::ranges::find_if(
      kQueueArguments, [&](const auto& one) { return device.starts_with(one.driver); });
  return found == std::end(kQueueArguments) ? nullptr : found;
}

constexpr std::string_view kAllowNoIommu =
    "`echo 1 > /sys/module/vfio/parameters/enable_unsafe_noiommu_mode`";

bool has_iommu(const std::filesystem::path& sys) {
  std::error_code error;
  const std::filesystem::directory_iterator units(sys / "class/iommu", error);
  return !error && units != std::filesystem::directory_iterator();
}

std::string why_not_pci(const std::string& address, const std::filesystem::path& sys) {
  const std::filesystem::path at = sys / "bus/pci/devices" / address;
  std::error_code error;
  if (!std::filesystem::exists(at, error)) {
    return "this machine has no PCI device of that address; `lspci` lists those that it has";
  }
  const std::string bind = "`dpdk-devbind.py --bind=vfio-pci " + address + "`";
  const std::filesystem::path driver = std::filesystem::read_symlink(at / "driver", error);
  if (error) {
    std::string why = "no kernel driver hands it to programs; bind it with " + bind;
    if (!has_iommu(sys)) {
      why += "; as there is no IOMMU, allow vfio without one first by " +
             std::string(kAllowNoIommu) +
             ", or where the kernel has no such file, bind it to uio_pci_generic";
    }
    return why;
  }
  const std::string name = driver.filename();
  if (std::ranges::find(kUserDrivers, name) == std::end(kUserDrivers)) {
    return "the kernel's driver " + name + " holds it; bind it to vfio-pci with " + bind +
           ", or give its interface to net_af_xdp or net_af_packet";
  }
  if (name == "vfio-pci" && !std::filesystem::exists(at / "iommu_group", error)) {
    return "vfio-pci holds it, but there is no IOMMU; enable it, or allow vfio without one by " +
           std::string(kAllowNoIommu) + " and bind it again";
  }
  return {};
}

}  // namespace

bool is_pci_address(std::string_view name) noexcept {
  return has_form(name, kPciForm);
}

std::string device_name(std::string_view device) {
  std::string name(device.substr(0, device.find(',')));
  if (name.size() == kShortPci && has_form(name, kPciForm.substr(5))) name.insert(0, "0000:");
  return name;
}

std::optional<std::string> device_argument(std::string_view device, std::string_view name) {
  for (std::size_t at = device.find(','); at != std::string_view::npos;) {
    const std::size_t end = device.find(',', at + 1);
    const std::string_view argument =
        device.substr(at + 1, end == std::string_view::npos ? end : end - at - 1);
    if (argument.starts_with(name) && argument.substr(name.size()).starts_with('=')) {
      return std::string(argument.substr(name.size() + 1));
    }
    at = end;
  }
  return std::nullopt;
}

std::optional<unsigned> queue_argument(std::string_view device) {
  const QueueArgument* const argument = queue_argument_of(device);
  if (argument == nullptr) return std::nullopt;
  const auto text = device_argument(device, argument->name);
  unsigned queues = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), queues).ec != std::errc())
    return std::nullopt;
  return queues;
}

std::string with_queues(std::string device, unsigned queues) {
  const QueueArgument* const argument = queue_argument_of(device);
  if (argument == nullptr || queues == 1 || device_argument(device, argument->name)) return device;
  return device + ',' + std::string(argument->name) + '=' + std::to_string(queues);
}

bool needs_huge_pages(std::string_view device, const std::filesystem::path& sys) {
  const std::string name = device_name(device);
  std::error_code error;
  return is_pci_address(name) &&
         !std::filesystem::exists(sys / "bus/pci/devices" / name / "iommu_group", error);
}

std::string why_not_usable(std::string_view device, const std::filesystem::path& sys) {
  const std::string name = device_name(device);
  if (is_pci_address(name)) return why_not_pci(name, sys);
  if (!name.starts_with("net_")) {
    return "that is neither a PCI address nor a virtual device (net_…)";
  }
  const auto interface = device_argument(device, "iface");
  const bool needs_interface = name.starts_with("net_af_");
  if (needs_interface && !interface) return "it needs an interface: " + name + ",iface=eth0";
  // Of others it may be the name of one to be made.
  const bool is_there = needs_interface || name.starts_with("net_pcap");
  if (interface && is_there && if_nametoindex(interface->c_str()) == 0) {
    return "this machine has no interface " + *interface;
  }
  return {};
}

}  // namespace ipop::engine
