#include "kni/tap_device.hpp"

#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string_view>

#include "kni/vnet_header.hpp"

namespace ipop::kni {
namespace {

constexpr const char* kDevice = "/dev/net/tun";

// TUN_F_USO4 and TUN_F_USO6, which the headers of Linux 6.1 do not name.
constexpr unsigned long kUdpSegmentation = 0x20 | 0x40;

// What the kernel takes as a name, less what it would take as a pattern ("tap%d").
bool is_interface_name(const std::string& name) {
  return !name.empty() && name.size() < IFNAMSIZ && name != "." && name != ".." &&
         std::ranges::all_of(
             name, [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != ':' && c != '%'; });
}

Result<Fd> open_device() {
  Fd fd(::open(kDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (fd) return fd;
  switch (errno) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return fail(std::string(kDevice) +
                  " is missing: load the kernel module (modprobe tun), or pass the device to the "
                  "container (--device /dev/net/tun)");
    case EPERM:
    case EACCES:
      return fail(std::string("no permission to open ") + kDevice +
                  ": run as root, or allow the device for the container (--device /dev/net/tun)");
    default:
      return fail_errno(std::string("opening ") + kDevice, errno);
  }
}

// Binds `fd` to the interface; zero or errno.
int attach(const Fd& fd, const std::string& name, int more_flags) {
  ifreq request{};
  std::ranges::copy(name, request.ifr_name);
  request.ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | more_flags);
  return ::ioctl(fd.get(), TUNSETIFF, &request) == 0 ? 0 : errno;
}

std::unexpected<Error> explain_attach(const std::string& name, int number) {
  switch (number) {
    case EBUSY:
      return fail(name + " is held by another process: is another ipopd running?");
    case EPERM:
      return fail("creating " + name +
                  " needs the capability CAP_NET_ADMIN: run as root, or give it to the container "
                  "(--cap-add NET_ADMIN)");
    case EINVAL:
      return fail("there is another interface called " + name +
                  ", which is no tap of ours: remove it (ip link delete " + name +
                  ") or choose another name");
    default:
      return fail_errno("creating " + name, number);
  }
}

// What the interface's driver says of it; false if it does not.
bool ask_driver(const std::string& name, void* question) {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::ranges::copy(name, request.ifr_name);
  request.ifr_data = static_cast<char*>(question);
  return ::ioctl(socket.get(), SIOCETHTOOL, &request) == 0;
}

// A tap has a carrier while somebody holds a queue of it.
bool is_held_tap(const std::string& name) {
  ethtool_drvinfo driver{};
  driver.cmd = ETHTOOL_GDRVINFO;
  ethtool_value link{.cmd = ETHTOOL_GLINK, .data = 0};
  return ask_driver(name, &driver) && std::string_view(driver.bus_info) == "tap" &&
         ask_driver(name, &link) && link.data != 0;
}

// The kernel frees the name before close() returns.
Result<void> remove_leftover(const std::string& name) {
  Result<Fd> fd = open_device();
  if (!fd) return std::unexpected(fd.error());
  int error = attach(*fd, name, 0);
  // The kernel wants to be told what it is. To one with several queues it would add another, and
  // give it frames of those who hold them.
  if (error == EINVAL && is_held_tap(name)) return explain_attach(name, EBUSY);
  if (error == EINVAL) error = attach(*fd, name, IFF_MULTI_QUEUE);
  if (error != 0) return explain_attach(name, error);
  if (::ioctl(fd->get(), TUNSETPERSIST, 0) != 0) return fail_errno("releasing " + name, errno);
  return {};
}

Result<void> set_frame_format(Tap& tap) {
  const Fd& fd = tap.queues.front();
  int header_size = kVnetHeaderSize;
  int little_endian = 1;
  if (::ioctl(fd.get(), TUNSETVNETHDRSZ, &header_size) != 0 ||
      ::ioctl(fd.get(), TUNSETVNETLE, &little_endian) != 0 ||
      ::ioctl(fd.get(), TUNSETOFFLOAD, 0) != 0) {
    return fail_errno("setting the frame format", errno);
  }
  constexpr unsigned long kTcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
  tap.tcp_segments = ::ioctl(fd.get(), TUNSETOFFLOAD, kTcp) == 0;
  tap.udp_segments =
      tap.tcp_segments && ::ioctl(fd.get(), TUNSETOFFLOAD, kTcp | kUdpSegmentation) == 0;
  return {};
}

Result<Fd> attach_new(const std::string& name, int more_flags) {
  Result<Fd> fd = open_device();
  if (!fd) return fd;
  int error = attach(*fd, name, IFF_TUN_EXCL | more_flags);
  if (error == EBUSY) {
    if (Result<void> removed = remove_leftover(name); !removed) {
      return std::unexpected(removed.error());
    }
    error = attach(*fd, name, IFF_TUN_EXCL | more_flags);
  }
  if (error != 0) return explain_attach(name, error);
  return fd;
}

}  // namespace

Result<Tap> create_tap(const std::string& name, std::size_t queues) {
  if (!is_interface_name(name)) return fail("\"" + name + "\" is not a name for an interface");
  const int several = queues > 1 ? IFF_MULTI_QUEUE : 0;
  Result<Fd> first = attach_new(name, several);
  if (!first) return std::unexpected(first.error());
  Tap tap;
  tap.queues.push_back(*std::move(first));
  if (Result<void> set = set_frame_format(tap); !set) {
    return std::unexpected(set.error().within(name));
  }
  while (tap.queues.size() < queues) {
    Result<Fd> further = open_device();
    if (!further) return std::unexpected(further.error());
    if (const int error = attach(*further, name, several); error != 0) {
      return fail_errno("queue " + std::to_string(tap.queues.size() + 1) + " of " + name, error);
    }
    tap.queues.push_back(*std::move(further));
  }
  return tap;
}

}  // namespace ipop::kni
