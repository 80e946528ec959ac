#include "engine/port/device_name.hpp"

#include <gtest/gtest.h>

#include <cstdlib>

namespace ipop::engine {
namespace {

// A /sys with PCI devices.
class FakeSys {
 public:
  FakeSys() {
    std::string folder = "/tmp/ipop-device-name-test-XXXXXX";
    EXPECT_NE(::mkdtemp(folder.data()), nullptr);
    path_ = folder;
  }
  ~FakeSys() { std::filesystem::remove_all(path_); }
  FakeSys(const FakeSys&) = delete;
  FakeSys& operator=(const FakeSys&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  // `driver`: empty = no driver has it.
  void add(const std::string& address, const std::string& driver, bool iommu = false) const {
    const auto device = path_ / "bus/pci/devices" / address;
    std::filesystem::create_directories(device);
    if (!driver.empty()) {
      const auto target = path_ / "bus/pci/drivers" / driver;
      std::filesystem::create_directories(target);
      std::filesystem::create_symlink(target, device / "driver");
    }
    if (iommu) std::filesystem::create_directories(device / "iommu_group");
  }
  void add_iommu() const { std::filesystem::create_directories(path_ / "class/iommu/dmar0"); }

 private:
  std::filesystem::path path_;
};

TEST(DeviceName, IsWhatDpdkCallsThePort) {
  EXPECT_EQ(device_name("0000:00:05.0"), "0000:00:05.0");
  EXPECT_EQ(device_name("00:05.0"), "0000:00:05.0");
  EXPECT_EQ(device_name("00:05.0,arg=1"), "0000:00:05.0");
  EXPECT_EQ(device_name("net_af_xdp0,iface=eth0"), "net_af_xdp0");
  EXPECT_EQ(device_name("net_tap"), "net_tap");
  EXPECT_EQ(device_name(""), "");
}

TEST(DeviceName, TellsPciAddressesFromAllElse) {
  for (const char* name : {"0000:00:05.0", "00aF:ff:1f.7"})
    EXPECT_TRUE(is_pci_address(name)) << name;
  for (const char* name : {"", "00:05.0", "0000:00:05", "0000:00:05.00", "0000:0g:05.0",
                           "0000.00:05:0", "net_af_xdp0"}) {
    EXPECT_FALSE(is_pci_address(name)) << name;
  }
}

TEST(DeviceName, HasArgumentsBehindIt) {
  const char* device = "net_memif0,socket=/run/m.sock,role=client,secret=";
  EXPECT_EQ(device_argument(device, "socket"), "/run/m.sock");
  EXPECT_EQ(device_argument(device, "role"), "client");
  EXPECT_EQ(device_argument(device, "secret"), "");
  EXPECT_FALSE(device_argument(device, "sock"));
  EXPECT_FALSE(device_argument(device, "net_memif0"));
  EXPECT_FALSE(device_argument("net_memif0", "socket"));
  EXPECT_FALSE(device_argument("iface=eth0", "iface"));
  EXPECT_EQ(device_argument("net_x,iface,iface=a", "iface"), "a");
}

TEST(DeviceName, AsksForQueuesWhereTheDriverHasToBeAsked) {
  EXPECT_EQ(with_queues("net_af_packet0,iface=eth0", 2), "net_af_packet0,iface=eth0,qpairs=2");
  EXPECT_EQ(with_queues("net_af_xdp0,iface=eth0", 3), "net_af_xdp0,iface=eth0,queue_count=3");
  EXPECT_EQ(with_queues("net_virtio_user0,path=/dev/vhost-net", 2),
            "net_virtio_user0,path=/dev/vhost-net,queues=2");
  EXPECT_EQ(with_queues("net_memif0,role=client", 2), "net_memif0,role=client");
  EXPECT_EQ(with_queues("0000:00:05.0", 2), "0000:00:05.0");
  EXPECT_EQ(with_queues("net_af_packet0,iface=eth0", 1), "net_af_packet0,iface=eth0");
  EXPECT_EQ(with_queues("net_af_packet0,qpairs=4,iface=eth0", 2),
            "net_af_packet0,qpairs=4,iface=eth0");
}

TEST(DeviceName, KnowsHowManyQueuesAreAskedFor) {
  EXPECT_EQ(queue_argument("net_af_packet0,qpairs=4,iface=eth0"), 4u);
  EXPECT_EQ(queue_argument("net_af_xdp0,iface=eth0,queue_count=2"), 2u);
  EXPECT_FALSE(queue_argument("net_af_packet0,iface=eth0"));
  EXPECT_FALSE(queue_argument("net_af_packet0,iface=eth0,qpairs=many"));
  EXPECT_FALSE(queue_argument("net_memif0,qpairs=4"));
}

TEST(DeviceName, SaysWhyACardCannotBeUsed) {
  const FakeSys sys;
  sys.add("0000:00:01.0", "e1000e");
  sys.add("0000:00:02.0", "");
  sys.add("0000:00:03.0", "vfio-pci", true);
  sys.add("0000:00:04.0", "vfio-pci");
  sys.add("0000:00:05.0", "uio_pci_generic");
  const struct {
    const char* device;
    const char* why;
  } cases[] = {
      {"0000:00:00.0",
       "this machine has no PCI device of that address; `lspci` lists those that it has"},
      {"0000:00:01.0",
       "the kernel's driver e1000e holds it; bind it to vfio-pci with `dpdk-devbind.py "
       "--bind=vfio-pci 0000:00:01.0`, or give its interface to net_af_xdp or net_af_packet"},
      {"00:02.0",
       "no kernel driver hands it to programs; bind it with `dpdk-devbind.py --bind=vfio-pci "
       "0000:00:02.0`"},
      {"00:03.0", ""},
      {"0000:00:04.0",
       "vfio-pci holds it, but there is no IOMMU; enable it, or allow vfio without one by `echo 1 "
       "> /sys/module/vfio/parameters/enable_unsafe_noiommu_mode` and bind it again"},
      {"0000:00:05.0,arg=1", ""},
  };
  sys.add_iommu();
  for (const auto& test : cases)
    EXPECT_EQ(why_not_usable(test.device, sys.path()), test.why) << test.device;
}

TEST(DeviceName, SaysHowToBindACardWithoutAnIommu) {
  const FakeSys sys;
  sys.add("0000:00:02.0", "");
  EXPECT_EQ(why_not_usable("0000:00:02.0", sys.path()),
            "no kernel driver hands it to programs; bind it with `dpdk-devbind.py --bind=vfio-pci "
            "0000:00:02.0`; as there is no IOMMU, allow vfio without one first by `echo 1 > "
            "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode`, or where the kernel has no "
            "such file, bind it to uio_pci_generic");
}

TEST(DeviceName, KnowsWhichCardsSeePhysicalAddresses) {
  const FakeSys sys;
  sys.add("0000:00:03.0", "vfio-pci", true);
  sys.add("0000:00:05.0", "uio_pci_generic");
  EXPECT_FALSE(needs_huge_pages("0000:00:03.0", sys.path()));
  EXPECT_TRUE(needs_huge_pages("00:05.0,arg=1", sys.path()));
  EXPECT_FALSE(needs_huge_pages("net_memif0", sys.path()));
}

TEST(DeviceName, SaysWhyAVirtualDeviceCannotBeUsed) {
  const std::string neither = "that is neither a PCI address nor a virtual device (net_…)";
  const struct {
    const char* device;
    std::string why;
  } cases[] = {
      {"", neither},
      {"eth0", neither},
      {"crypto_null0", neither},
      {"0000:00:05", neither},
      {"net_af_packet0", "it needs an interface: net_af_packet0,iface=eth0"},
      {"net_af_xdp1,queue=3", "it needs an interface: net_af_xdp1,iface=eth0"},
      {"net_af_packet0,iface=ipop-none0", "this machine has no interface ipop-none0"},
      {"net_af_packet0,iface=lo", ""},
      {"net_pcap0,iface=ipop-none0", "this machine has no interface ipop-none0"},
      {"net_pcap0,rx_pcap=/tmp/in.pcap", ""},
      {"net_tap0,iface=ipop-none0", ""},
      {"net_memif0", ""},
  };
  for (const auto& test : cases)
    EXPECT_EQ(why_not_usable(test.device), test.why) << test.device;
}

}  // namespace
}  // namespace ipop::engine
