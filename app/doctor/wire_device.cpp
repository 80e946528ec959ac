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
  if (finding.advice.empty() && free_hugepages_mb(root) == 0 &&
      engine::needs_huge_pages(wire.device, root / "sys")) {
    finding.advice = engine::kHugePagesAreMissing;
  }
  if (!finding.advice.empty()) finding.level = kProblem;
  return finding;
}

}  // namespace ipop::app
