"""fastd: a tunnel between two keys, with the method its manual recommends (Salsa20/12, UMAC)."""

from netns.rivals.rival import Rival

CONFIG = """
log level error;
interface "fastd";
mode tun;
mtu 1406;
method "salsa2012+umac";
bind 0.0.0.0:10000;
secret "{secret}";
on up "ip address add {address} peer {peer_address} dev $INTERFACE; ip link set $INTERFACE up";
peer "{peer}" {{
  key "{peer_key}";
  remote {peer_endpoint}:10000;
}}
"""


class Fastd(Rival):
    name, label = "fastd", "fastd"
    package, programs = "fastd", ("fastd",)

    def start(self, alice, bob) -> str:
        addresses = {alice: "192.168.60.10", bob: "192.168.60.20"}
        secrets, keys = {}, {}
        for host in addresses:
            secrets[host] = host.run("fastd", "--generate-key", "--machine-readable").stdout.strip()
            own = host.directory / "secret.conf"
            own.write_text(f'secret "{secrets[host]}";\n', encoding="ascii")
            keys[host] = host.run("fastd", "--show-key", "--machine-readable",
                                  "--config", own).stdout.strip()
        for host, other in ((alice, bob), (bob, alice)):
            config = host.directory / "fastd.conf"
            config.write_text(CONFIG.format(
                secret=secrets[host], address=addresses[host], peer_address=addresses[other],
                peer=other.name, peer_key=keys[other], peer_endpoint=other.address),
                encoding="utf-8")
            host.start("fastd", "--config", config)
        return addresses[bob]
