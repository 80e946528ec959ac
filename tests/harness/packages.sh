# shellcheck shell=bash
# Sourced by ./dev: the Debian 12 packages that building and testing need, and how to get them.

# clang 16 because the default, 14, cannot compile std::expected of libstdc++ 12.
PACKAGES="
  g++ meson ninja-build pkg-config ccache python3 git
  libdpdk-dev libipsec-mb-dev libsodium-dev libssl-dev libopendht-dev libyaml-cpp-dev libasio-dev
  libnl-3-dev libnl-route-3-dev libcli11-dev nlohmann-json3-dev libspdlog-dev libfmt-dev
  libgtest-dev libgmock-dev libbenchmark-dev liburing-dev
  clang-16 libclang-rt-16-dev clang-tidy-16 clang-format
  iproute2 iputils-ping nftables tcpdump curl iperf3 ethtool procps socat jq util-linux
  dhtnode wireguard-tools wireguard-go coturn miniupnpd-nftables
"

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

# One that cannot be had is left out of the comparison.
# shellcheck disable=SC2086
setup_rivals() {
  local rival
  for rival in $(missing_of $RIVALS); do
    install_packages "$rival" || printf '%s\n' "dev: $rival cannot be installed" >&2
  done
}
