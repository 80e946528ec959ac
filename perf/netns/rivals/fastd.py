"""fastd: a tunnel between two keys, with the method its manual recommends (Salsa20/12, UMAC)."""

from rig.conditions import wait_until

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
  {remote}
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
        # Alice calls, once bob listens: a call that nobody hears is repeated only after 20 s.
        remotes = {bob: "", alice: f"remote {bob.address}:10000;"}
        for host, other in ((bob, alice), (alice, bob)):
            config = host.directory / "fastd.conf"
            config.write_text(CONFIG.format(
                secret=secrets[host], address=addresses[host], peer_address=addresses[other],
                peer=other.name, peer_key=keys[other], remote=remotes[host]),
                encoding="utf-8")
            daemon = host.start("fastd", "--config", config)
            wait_until("fastd listens", lambda: is_open(host, daemon), 10)
        return addresses[bob]


def is_open(host, daemon) -> bool:
    daemon.must_run()
    return ":10000 " in host.run("ss", "-uln").stdout
