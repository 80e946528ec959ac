#include "kni/tap_device.hpp"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>

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
                  ", which is not a tap with one queue: remove it (ip link delete " + name +
                  ") or choose another name");
    default:
      return fail_errno("creating " + name, number);
  }
}

// The kernel frees the name before close() returns.
Result<void> remove_leftover(const std::string& name) {
  Result<Fd> fd = open_device();
  if (!fd) return std::unexpected(fd.error());
  if (const int error = attach(*fd, name, 0); error != 0) return explain_attach(name, error);
  if (::ioctl(fd->get(), TUNSETPERSIST, 0) != 0) return fail_errno("releasing " + name, errno);
  return {};
}

Result<void> set_frame_format(Tap& tap) {
  const Fd& fd = tap.fd;
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

}  // namespace

Result<Tap> create_tap(const std::string& name) {
  if (!is_interface_name(name)) return fail("\"" + name + "\" is not a name for an interface");
  Result<Fd> fd = open_device();
  if (!fd) return std::unexpected(fd.error());
  int error = attach(*fd, name, IFF_TUN_EXCL);
  if (error == EBUSY) {
    if (Result<void> removed = remove_leftover(name); !removed) {
      return std::unexpected(removed.error());
    }
    error = attach(*fd, name, IFF_TUN_EXCL);
  }
  if (error != 0) return explain_attach(name, error);
  Tap tap{.fd = *std::move(fd)};
  if (Result<void> set = set_frame_format(tap); !set) {
    return std::unexpected(set.error().within(name));
  }
  return tap;
}

}  // namespace ipop::kni
