"""Nebula: a certificate for each host, addresses known beforehand, no lighthouse (AES-256-GCM)."""

from netns.rivals.rival import Rival

CONFIG = """
pki: {{ca: {ca}/ca.crt, cert: {own}/{name}.crt, key: {own}/{name}.key}}
static_host_map: {{"{peer}": ["{peer_endpoint}"]}}
lighthouse: {{am_lighthouse: false}}
listen: {{host: 0.0.0.0, port: 4242}}
tun: {{dev: nebula}}
logging: {{level: error}}
firewall:
  outbound: [{{port: any, proto: any, host: any}}]
  inbound: [{{port: any, proto: any, host: any}}]
"""


class Nebula(Rival):
    name, label = "nebula", "Nebula"
    package, programs = "nebula", ("nebula", "nebula-cert")

    def start(self, alice, bob) -> str:
        ca = alice.directory
        alice.run("nebula-cert", "ca", "-name", "bench", "-out-crt", ca / "ca.crt",
                  "-out-key", ca / "ca.key")
        addresses = {alice: "192.168.30.10", bob: "192.168.30.20"}
        for host, other in ((alice, bob), (bob, alice)):
            own = host.directory
            host.run("nebula-cert", "sign", "-name", host.name, "-ip", f"{addresses[host]}/24",
                     "-ca-crt", ca / "ca.crt", "-ca-key", ca / "ca.key",
                     "-out-crt", own / f"{host.name}.crt", "-out-key", own / f"{host.name}.key")
            config = own / "nebula.yaml"
            config.write_text(CONFIG.format(
                ca=ca, own=own, name=host.name, peer=addresses[other],
                peer_endpoint=f"{other.address}:4242"), encoding="utf-8")
            host.start("nebula", "-config", config)
        return addresses[bob]
