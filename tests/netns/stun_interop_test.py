"""STUN with somebody else's programs: coturn's client asks a node, a node asks coturn's server."""

import re

from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.nat import PORT_RESTRICTED, SYMMETRIC, behind
from rig.node import PORT, Node, node

REFLEXIVE = re.compile(r"UDP reflexive addr: ([\d.]+):(\d+)")


def reflexive_address(host, server: str) -> str:
    """What turnutils_stunclient is told by the server."""
    said = host.run("turnutils_stunclient", "-p", PORT, server, limit_s=20, check=False)
    found = REFLEXIVE.search(said.stdout)
    expect(found, f"turnutils_stunclient: {said.stdout}{said.stderr}")
    return found[1]


def start_coturn(world, name: str) -> str:
    """A STUN server of coturn on a host of its own; returns its address."""
    host = world.host(name)
    host.start("turnserver", "-n", "--stun-only", "--no-cli", "--no-tls", "--no-dtls",
               "--listening-ip", host.address, "--listening-port", "3478",
               "--log-file", "stdout", "--pidfile", host.directory / "pid",
               "--db", host.directory / "db", name="turnserver")
    wait_until(f"coturn on {name}",
               lambda: ":3478" in host.run("ss", "-lun").stdout, 10)
    return host.address


def test_coturns_client_is_answered_by_a_node(world):
    server = node(world, "server", 1)
    server.start()
    plain = world.host("plain")
    expect(reflexive_address(plain, server.host.address) == plain.address, "not its own address")
    hidden = behind(world, "hidden", SYMMETRIC)
    gateway = next(host for host in world.hosts if host.name == "hidden-nat")
    expect(reflexive_address(hidden, server.host.address) == gateway.address,
           "not its gateway's address")


def test_a_node_is_answered_by_coturn(world):
    servers = [start_coturn(world, name) for name in ("one", "two")]
    for number, (kind, mapping) in enumerate(((PORT_RESTRICTED, "endpoint-independent"),
                                              (SYMMETRIC, "endpoint-dependent")), 10):
        asking = Node(behind(world, kind, kind))
        asking.init(number)  # for its key
        # Nobody is at the bootstrap address, and port 3478 need not be named.
        asking.configure(
            f"network: {{name: ipop_asks_coturn, address: 192.168.10.{number}/24}}\n"
            f'overlay: {{listen: ["0.0.0.0:{PORT}"], bootstrap: ["{servers[0]}:9"],'
            f" stun: [{', '.join(servers)}]}}\n", f"192.168.10.{number}")
        asking.start()
        wait_until(f"a node behind a {kind} NAT to know it",
                   lambda: asking.status()["nat"]["kind"] == mapping, 5)


if __name__ == "__main__":
    run_cases(globals())
