#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "app/doctor/machine.hpp"
#include "app/doctor/network_cards.hpp"
#include "app/doctor/wire_device.hpp"
#include "tests/unit/app/command_line.hpp"

namespace ipop::app {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using enum Finding::Level;

// A machine that has what the daemon needs, and what a test adds or takes away.
class Doctor : public ::testing::Test {
 protected:
  Doctor() {
    write("proc/self/status", "Name:\tipop\nCapEff:\t000001ffffffffff\n");
    write("proc/cpuinfo", "processor : 0\nflags : fpu aes avx2 vaes vpclmulqdq\n");
    write("dev/net/tun", "");
    write("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "128\n");
    fs::create_directories(root_ / "sys/class/iommu/dmar0");
    fs::create_directories(root_ / "sys/module/vfio_pci");
  }
  ~Doctor() override { fs::remove_all(root_); }

  void write(const fs::path& file, const std::string& text) const {
    fs::create_directories((root_ / file).parent_path());
    std::ofstream(root_ / file) << text;
  }
  void remove(const fs::path& file) const { fs::remove_all(root_ / file); }
  void add_card(const std::string& address, const std::string& vendor, const std::string& device,
                const std::string& driver) const {
    const fs::path at = "sys/bus/pci/devices/" + address;
    write(at / "class", "0x020000\n");
    write(at / "vendor", "0x" + vendor + "\n");
    write(at / "device", "0x" + device + "\n");
    if (!driver.empty())
      fs::create_symlink("../../../bus/pci/drivers/" + driver, root_ / at / "driver");
  }
  [[nodiscard]] Finding finding(const std::string& topic) const {
    for (const Finding& each : examine_machine(root_))
      if (each.topic == topic) return each;
    return {.level = kProblem, .topic = topic, .text = "not examined", .advice = {}};
  }
  [[nodiscard]] Finding only_card() const {
    const Findings findings = judge_network_cards(find_network_cards(root_));
    EXPECT_EQ(findings.size(), 1u);
    return findings.empty() ? Finding{} : findings.front();
  }

  fs::path root_ =
      fs::path(::testing::TempDir()) /
      (std::string("doctor-") + ::testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(Doctor, FindsNothingToDoWhereAllIsThere) {
  for (const Finding& each : examine_machine(root_)) {
    EXPECT_EQ(each.level, kGood) << each.topic << ": " << each.text;
    EXPECT_EQ(each.advice, "");
  }
}

TEST_F(Doctor, MissesRightsAndTheTap) {
  write("proc/self/status", "CapEff:\t0000000000000400\n");
  remove("dev/net/tun");
  EXPECT_EQ(finding("rights").level, kProblem);
  EXPECT_THAT(finding("rights").advice, HasSubstr("CAP_NET_ADMIN"));
  EXPECT_EQ(finding("tap").level, kProblem);
  EXPECT_THAT(finding("tap").advice, HasSubstr("modprobe tun"));
}

TEST_F(Doctor, NamesWhatTheProcessorHas) {
  EXPECT_EQ(finding("processor").text, "AES-256-GCM with vector AES");
  write("proc/cpuinfo", "flags : aes vaes vpclmulqdq avx512bw avx512ifma\n");
  EXPECT_EQ(finding("processor").text, "AES-256-GCM and ChaCha20-Poly1305 with AVX-512");
  write("proc/cpuinfo", "flags : fpu aes\n");
  EXPECT_EQ(finding("processor").text, "AES-256-GCM with AES instructions");
  write("proc/cpuinfo", "flags : fpu vaesthetic\n");
  EXPECT_EQ(finding("processor").level, kNote);
}

TEST_F(Doctor, AddsUpHugepagesOfAllSizes) {
  write("sys/kernel/mm/hugepages/hugepages-1048576kB/free_hugepages", "2\n");
  EXPECT_EQ(free_hugepages_mb(root_), 256u + 2048u);
  EXPECT_EQ(finding("hugepages").level, kGood);
  remove("sys/kernel/mm/hugepages/hugepages-1048576kB");
  write("sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages", "3\n");
  EXPECT_EQ(finding("hugepages").level, kNote);
  EXPECT_EQ(finding("hugepages").text, "6 MiB are free, too few; the daemon does without");
  remove("sys/kernel/mm/hugepages");
  EXPECT_EQ(free_hugepages_mb(root_), 0u);
  EXPECT_EQ(finding("hugepages").text, "none is free; the daemon does without");
}

TEST_F(Doctor, SaysHowToHandACardOver) {
  remove("sys/module/vfio_pci");
  EXPECT_EQ(finding("vfio").level, kNote);
  EXPECT_THAT(finding("vfio").advice, HasSubstr("modprobe vfio-pci"));
  remove("sys/class/iommu/dmar0");
  EXPECT_THAT(finding("vfio").advice, HasSubstr("enable_unsafe_noiommu_mode"));
  EXPECT_THAT(finding("vfio").advice, HasSubstr("uio_pci_generic"));
  write("sys/module/vfio/parameters/enable_unsafe_noiommu_mode", "Y\n");
  fs::create_directories(root_ / "sys/module/vfio_pci");
  EXPECT_EQ(finding("vfio").level, kGood);
}

TEST_F(Doctor, KnowsCardsOfTheKernel) {
  add_card("0000:00:05.0", "1d0f", "ec20", "ena");
  fs::create_directories(root_ / "sys/bus/pci/devices/0000:00:05.0/net/eth1");
  EXPECT_EQ(only_card(), (Finding{.level = kGood,
                                  .topic = "card 0000:00:05.0",
                                  .text = "the kernel's, by ena (1d0f:ec20), interface eth1, for "
                                          "DPDK net_ena",
                                  .advice = {}}));
}

TEST_F(Doctor, FindsTheInterfaceOfAVirtioCardBelowIt) {
  add_card("0000:00:03.0", "1af4", "1000", "virtio-pci");
  fs::create_directories(root_ / "sys/bus/pci/devices/0000:00:03.0/virtio0/net/ens3");
  EXPECT_THAT(find_network_cards(root_).at(0).interfaces, ElementsAre("ens3"));
}

TEST_F(Doctor, WarnsOfTheEnaWithoutWriteCombining) {
  add_card("0000:00:06.0", "1d0f", "ec20", "vfio-pci");
  EXPECT_EQ(only_card().level, kNote);
  EXPECT_THAT(only_card().advice, HasSubstr("write combining"));
}

TEST_F(Doctor, OffersXdpForCardsThatDpdkHasNoDriverFor) {
  add_card("0000:00:02.0", "15b3", "101e", "mlx5_core");
  fs::create_directories(root_ / "sys/bus/pci/devices/0000:00:02.0/net/eth0");
  EXPECT_EQ(only_card().level, kNote);
  EXPECT_THAT(only_card().advice, HasSubstr("net_af_xdp0,iface=eth0"));
}

TEST_F(Doctor, FindsTheCardsOfAzure) {
  const fs::path at = "sys/bus/vmbus/devices/a1b2";
  write(at / "class_id", "{f8615163-df3e-46c5-913f-f2d2f965ed0e}\n");
  write("sys/bus/vmbus/devices/c3d4/class_id", "{0e0b6031-5213-4934-818b-38d90ced39db}\n");
  fs::create_symlink("../../../bus/vmbus/drivers/hv_netvsc", root_ / at / "driver");
  EXPECT_EQ(only_card().text, "the kernel's, by hv_netvsc, for DPDK net_netvsc");
}

TEST_F(Doctor, PassesOverWhatIsNoCard) {
  add_card("0000:00:01.0", "8086", "7000", "ata_piix");
  write("sys/bus/pci/devices/0000:00:01.0/class", "0x010180\n");
  EXPECT_TRUE(find_network_cards(root_).empty());
}

TEST_F(Doctor, LooksAtTheWireOfAConfiguration) {
  conf::Wire wire{.backend = conf::WireBackend::kDpdk, .device = "0000:00:06.0"};
  EXPECT_THAT(examine_wire(wire, root_).advice, HasSubstr("no PCI device"));
  add_card("0000:00:06.0", "8086", "10d3", "e1000e");
  EXPECT_EQ(examine_wire(wire, root_).level, kProblem);
  EXPECT_THAT(examine_wire(wire, root_).advice, HasSubstr("e1000e"));
  remove("sys/bus/pci/devices/0000:00:06.0");
  add_card("0000:00:06.0", "8086", "10d3", "vfio-pci");
  fs::create_directories(root_ / "sys/bus/pci/devices/0000:00:06.0/iommu_group");
  EXPECT_EQ(examine_wire(wire, root_).level, kGood);
  remove("sys/bus/pci/devices/0000:00:06.0");
  add_card("0000:00:06.0", "8086", "10d3", "uio_pci_generic");
  remove("sys/kernel/mm/hugepages");
  EXPECT_THAT(examine_wire(wire, root_).advice, HasSubstr("huge pages"));
  EXPECT_EQ(examine_wire({}, root_).text, "UDP sockets");
}

TEST_F(Doctor, PrintsWhatItFound) {
  remove("dev/net/tun");
  const Outcome text = ipop({"doctor", "--root", root_.string()});
  EXPECT_EQ(text.code, 1);
  EXPECT_THAT(text.out, HasSubstr("problem  tap: there is no /dev/net/tun\n      modprobe tun"));
  const Outcome json = ipop({"doctor", "--json", "--root", root_.string()});
  const auto list = nlohmann::json::parse(json.out);
  EXPECT_EQ(list.at(1).at("topic"), "tap");
  EXPECT_EQ(list.at(1).at("level"), "problem");
  write("dev/net/tun", "");
  EXPECT_EQ(ipop({"doctor", "--root", root_.string()}).code, 0);
}

TEST_F(Doctor, SaysThatAConfigurationIsWrong) {
  write("ipop.yaml", "nonsense: 1\n");
  const Outcome outcome =
      ipop({"doctor", "--root", root_.string(), "--config", (root_ / "ipop.yaml").string()});
  EXPECT_EQ(outcome.code, 1);
  EXPECT_THAT(outcome.out, HasSubstr("--check says why"));
}

}  // namespace
}  // namespace ipop::app
