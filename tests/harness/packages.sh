# shellcheck shell=bash
# Sourced by ./dev: the Debian 12 packages that building and testing need, and how to get them.

# clang 16 because the default, 14, cannot compile std::expected of libstdc++ 12.
PACKAGES="
  g++ meson ninja-build pkg-config ccache python3 git
  libdpdk-dev libipsec-mb-dev libsodium-dev libssl-dev libopendht-dev libyaml-cpp-dev libasio-dev
  libnl-3-dev libnl-route-3-dev libseccomp-dev libcli11-dev nlohmann-json3-dev libspdlog-dev libfmt-dev
  libgtest-dev libgmock-dev libbenchmark-dev liburing-dev
  clang-16 libclang-rt-16-dev clang-tidy-16 clang-format
  iproute2 iputils-ping nftables tcpdump curl iperf3 ethtool procps socat jq util-linux strace
  openssl dhtnode wireguard-tools wireguard-go coturn miniupnpd-nftables
  strongswan-charon strongswan-swanctl libcharon-extra-plugins libstrongswan-standard-plugins
"

# For `./dev test vm`; some stand above, too.
VM_PACKAGES="qemu-system-x86 kmod dash iproute2 iputils-ping wireguard-tools iperf3 tcpdump ethtool binutils \
  openssl strongswan-charon strongswan-swanctl libstrongswan-standard-plugins"
# What its guests run, unpacked and not installed: the kernel that this one asks for, and busybox.
VM_KERNEL=linux-image-cloud-amd64

# For `./dev bench`: dpdk-testpmd.
BENCH_PACKAGES="dpdk-dev"

# Other VPNs, for `./dev bench --rivals` to compare with.
RIVALS="wireguard-go wireguard-tools nebula tinc n2n fastd openvpn openssl"

# Those of the packages named that are not installed.
missing_of() {
  local installed
  installed=" $(dpkg-query --show --showformat='${db:Status-Status}=${Package} ' "$@" \
    2>/dev/null || true)"
  local package
  for package in "$@"; do
    case $installed in
      *" installed=$package "*) ;;
      *) printf '%s ' "$package" ;;
    esac
  done
}

# Runs a command up to three times: a mirror may be busy for a moment.
try_thrice() {
  local attempt
  for attempt in 1 2 3; do
    "$@" && return 0
    [ "$attempt" = 3 ] || sleep $((attempt * 5))
  done
  return 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    printf '%s\n' "dev: packages are missing and this is not root: run ./dev setup as root" >&2
    return 1
  fi
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -y -o Acquire::Retries=3 \
    -o DPkg::Lock::Timeout=300 "$@"
}

install_packages() {
  command -v apt-get >/dev/null ||
    { printf '%s\n' "dev: not a Debian system; needed: $*" >&2; return 1; }
  printf '%s\n' "installing: $*"
  # The lists may be absent or too old; only then are they fetched.
  apt_get --no-install-recommends --quiet=2 install "$@" 2>/dev/null ||
    { try_thrice apt_get --quiet=2 update &&
      try_thrice apt_get --no-install-recommends --quiet=2 install "$@"; }
}

# shellcheck disable=SC2086
setup() {
  local missing
  missing=$(missing_of $PACKAGES)
  [ -z "$missing" ] || install_packages $missing
}

# The newest package of a kind is taken once, and kept in the build tree.
download_vm_packages() {
  mkdir -p "$1"
  (
    cd "$1" || return
    local kernel
    if ! compgen -G 'linux-image-*.deb' >/dev/null; then
      # Its lists may be absent.
      apt-cache show "$VM_KERNEL" >/dev/null 2>&1 || try_thrice apt_get --quiet=2 update
      kernel=$(apt-cache depends "$VM_KERNEL" |
        awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ { print $2; exit }')
      try_thrice apt-get download --quiet=2 "$kernel" 2>/dev/null
    fi
    compgen -G 'busybox-static_*.deb' >/dev/null ||
      try_thrice apt-get download --quiet=2 busybox-static 2>/dev/null
  )
}

# shellcheck disable=SC2086
setup_vm() {
  local missing
  missing=$(missing_of $VM_PACKAGES)
  [ -z "$missing" ] || install_packages $missing
  download_vm_packages build/vm/packages
}

# shellcheck disable=SC2086
setup_bench() {
  local missing
  missing=$(missing_of $BENCH_PACKAGES)
  # What cannot be had is left out of the comparison.
  [ -z "$missing" ] || install_packages $missing ||
    printf '%s\n' "dev: cannot be installed: $missing" >&2
}

# One that cannot be had is left out of the comparison.
# shellcheck disable=SC2086
setup_rivals() {
  local rival
  for rival in $(missing_of $RIVALS); do
    install_packages "$rival" || printf '%s\n' "dev: $rival cannot be installed" >&2
  done
}
