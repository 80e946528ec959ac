// What the text of `wire.device` says, and what can be known of such a device before a driver is
// asked. Start-up thread.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace ipop::engine {

// What DPDK calls the port: the text up to its first comma, a PCI address with its domain.
[[nodiscard]] std::string device_name(std::string_view device);
// With a domain, "0000:00:05.0".
[[nodiscard]] bool is_pci_address(std::string_view name) noexcept;
// An argument of a virtual device: "iface" of "net_af_packet0,iface=eth0".
[[nodiscard]] std::optional<std::string> device_argument(std::string_view device,
                                                         std::string_view name);
// As many queues as `device` asks its driver for, where the driver wants to know that before it
// starts; nothing if it does not say so.
[[nodiscard]] std::optional<unsigned> queue_argument(std::string_view device);
// The text that asks for so many, unless it asks for some already.
[[nodiscard]] std::string with_queues(std::string device, unsigned queues);
// A PCI device without an IOMMU before it: it sees memory by physical addresses, which only
// huge pages keep.
[[nodiscard]] bool needs_huge_pages(std::string_view device,
                                    const std::filesystem::path& sys = "/sys");
// What to do then.
inline constexpr std::string_view kHugePagesAreMissing =
    "without an IOMMU the card needs huge pages: sysctl -w vm.nr_hugepages=256";
// Why no driver can take it, and what to do; empty if nothing stands in the way. `sys`: the
// kernel's view of devices.
[[nodiscard]] std::string why_not_usable(std::string_view device,
                                         const std::filesystem::path& sys = "/sys");

}  // namespace ipop::engine
