"""A router at home that forwards ports by request: miniupnpd next to the NAT of rig/nat.py, and
routers that a test makes up, which answer what it wants.

    host 172.20.N.2 ── 172.20.N.1 gateway 10.9.M.2, 9.0.0.M ── router
"""

from rig.conditions import wait_until
from rig.nat import behind
from rig.process import Process
from rig.world import Host, World, run

TABLE = "miniupnpd"
# As its own script makes them, but for the policy: the NAT's table decides what is forwarded.
CHAINS = f"""
table inet {TABLE} {{
  chain forward {{ type filter hook forward priority 0; jump miniupnpd; }}
  chain miniupnpd {{ }}
  chain prerouting {{ type nat hook prerouting priority -100; jump prerouting_miniupnpd; }}
  chain postrouting {{ type nat hook postrouting priority 100; jump postrouting_miniupnpd; }}
  chain prerouting_miniupnpd {{ }}
  chain postrouting_miniupnpd {{ }}
}}
"""


class HomeRouter:
    """The NAT that a host is behind, and the daemon that takes its requests."""

    def __init__(self, world: World, name: str, kind: str):
        self.inside = behind(world, name, kind)
        self.host: Host = next(host for host in world.hosts if host.name == f"{name}-nat")
        number = self.host.address.split(".")[2]
        self.outside = f"9.0.0.{number}"
        self.daemon: Process | None = None
        # Public even to miniupnpd, which refuses addresses for documentation; nobody else sees it.
        self.host.run("ip", "address", "add", f"{self.outside}/32", "dev", "eth0")
        run("ip", "-n", world.router().namespace, "route", "add", self.outside,
            "via", self.host.address)

    @property
    def lan_address(self) -> str:
        return self.inside.address.rsplit(".", 1)[0] + ".1"

    def start(self, upnp=True, nat_pmp=True, outside="") -> None:
        """Starts miniupnpd, with its own idea of its outside address."""
        rules = self.host.directory / "miniupnpd.nft"
        rules.write_text(f"table inet {TABLE} {{ }}\ndelete table inet {TABLE}\n{CHAINS}",
                         encoding="utf-8")
        self.host.run("nft", "-f", rules)
        settings = {
            "ext_ifname": "eth0", "ext_ip": outside or self.outside, "listening_ip": "inside",
            "ipv6_disable": "yes", "secure_mode": "yes", "system_uptime": "no",
            "enable_upnp": "yes" if upnp else "no", "enable_natpmp": "yes" if nat_pmp else "no",
            "upnp_table_name": TABLE, "upnp_nat_table_name": TABLE, "http_port": "5000",
            "minissdpdsocket": self.host.directory / "no-minissdpd",
            "uuid": "00000000-0000-0000-0000-000000000001"}
        config = self.host.directory / "miniupnpd.conf"
        config.write_text("".join(f"{key}={value}\n" for key, value in settings.items()) +
                          "allow 1024-65535 0.0.0.0/0 1024-65535\ndeny 0-65535 0.0.0.0/0 0-65535\n",
                          encoding="utf-8")
        self.daemon = self.host.start("/usr/sbin/miniupnpd", "-d", "-f", config,
                                      "-P", self.host.directory / "miniupnpd.pid")
        port = ":1900" if upnp else ":5351"
        wait_until(f"miniupnpd on {self.host.name}",
                   lambda: port in self.host.run("ss", "-lun").stdout, 10)

    def forwards(self) -> list:
        """The rules that let others in."""
        listed = self.host.run("nft", "list", "chain", "inet", TABLE, "prerouting_miniupnpd").stdout
        return [line.strip() for line in listed.splitlines() if "dnat" in line]
