"""A host that runs Debian's wireguard-go, set up with `wg`."""

import os
import secrets

from rig.conditions import wait_until
from rig.world import Host

PORT = 51820


class WireGuardHost:
    def __init__(self, host: Host, address: str, log_level: str = "debug"):
        self.host = host
        self.address = address
        self._log_level = log_level
        # Its control sockets share one directory among all namespaces.
        self.interface = f"wg{secrets.token_hex(4)}"
        self.private_key = host.run("wg", "genkey").stdout.strip()
        self._key_file = host.directory / "private-key"
        self._key_file.write_text(self.private_key + "\n", encoding="ascii")
        self._key_file.chmod(0o600)
        self.public_key = host.run("sh", "-c", f"wg pubkey < {self._key_file}").stdout.strip()

    @property
    def endpoint(self) -> str:
        return f"{self.host.address}:{PORT}"

    def start(self) -> None:
        env = dict(os.environ, WG_I_PREFER_BUGGY_USERSPACE_TO_POLISHED_KMOD="1",
                   LOG_LEVEL=self._log_level)
        self.process = self.host.start("wireguard-go", "-f", self.interface, env=env)
        wait_until("wireguard-go takes orders",
                   lambda: self.host.run("wg", "show", self.interface, check=False).returncode == 0,
                   5)
        self.host.run("wg", "set", self.interface, "listen-port", PORT,
                      "private-key", self._key_file)
        self.host.run("ip", "address", "add", f"{self.address}/24", "dev", self.interface)
        self.host.run("ip", "link", "set", self.interface, "mtu", 1420, "up")

    def add_peer(self, public_key: str, allowed: str, endpoint: str = "", psk_file=None) -> None:
        self.host.run("wg", "set", self.interface, "peer", public_key, "allowed-ips", allowed,
                      *(["endpoint", endpoint] if endpoint else []),
                      *(["preshared-key", psk_file] if psk_file else []))

    def remove_peer(self, public_key: str) -> None:
        self.host.run("wg", "set", self.interface, "peer", public_key, "remove")

    def handshake_at(self) -> int:
        """Seconds since the epoch of the latest handshake; 0 = none."""
        fields = self.host.run("wg", "show", self.interface, "latest-handshakes").stdout.split()
        return int(fields[1]) if len(fields) > 1 else 0
