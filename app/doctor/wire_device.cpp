#include "app/doctor/wire_device.hpp"

#include <string>

#include "app/doctor/machine.hpp"
#include "engine/port/device_name.hpp"

namespace ipop::app {

Finding examine_wire(const conf::Wire& wire, const std::filesystem::path& root) {
  using enum Finding::Level;
  Finding finding{.level = kGood, .topic = "wire", .text = {}, .advice = {}};
  if (wire.backend == conf::WireBackend::kSocket) {
    finding.text = "UDP sockets";
    return finding;
  }
  finding.text = "DPDK, " + wire.device;
  finding.advice = engine::why_not_usable(wire.device, root / "sys");
  const bool on_pci = engine::is_pci_address(engine::device_name(wire.device));
  if (finding.advice.empty() && on_pci && !has_iommu(root) && free_hugepages_mb(root) == 0) {
    finding.advice = "without an IOMMU the card needs huge pages: sysctl -w vm.nr_hugepages=256";
  }
  if (!finding.advice.empty()) finding.level = kProblem;
  return finding;
}

}  // namespace ipop::app
