"""Nodes behind NATs: what they learn of them, NATs behind NATs, and IPv6 beside them.

    boot, second      no NAT: the way into the hash table, and STUN servers
    none, full-cone,  one node behind each kind of NAT
    …
"""

from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.nat import (FILTERINGS, KINDS, MAPPINGS, NONE, PORT_RESTRICTED, SYMMETRIC, behind,
                     give_ipv6)
from rig.node import PORT, Node, node
from rig.ping import ping

NETWORK = "ipop_behind_nats"


def start_servers(world) -> list:
    servers = [node(world, name, number, network=f"ipop_{name}_only")
               for number, name in enumerate(("boot", "second"), 1)]
    for server in servers:
        server.start()
    return servers


def node_behind(world, name: str, kind, octet: int, servers) -> Node:
    """The first server is its way into the hash table; the second it only asks by STUN. `kind`: of
    its NAT, or of several, the outermost first."""
    made = Node(behind(world, name, *([kind] if isinstance(kind, str) else kind)))
    boot, second = servers
    made.init(octet)  # for its key
    made.configure(
        f"network: {{name: {NETWORK}, address: 192.168.10.{octet}/24, hostname: {name}}}\n"
        f'overlay: {{listen: ["0.0.0.0:{PORT}", "[::]:{PORT}"], bootstrap: ["{boot.endpoint}"],'
        f' stun: ["{second.endpoint}"]}}\n', f"192.168.10.{octet}")
    return made


def population(world) -> list:
    """(kind, node) of all, started and joined."""
    servers = start_servers(world)
    made = [(kind, node_behind(world, kind, kind, 10 + number, servers))
            for number, kind in enumerate(KINDS)]
    for _, each in made:
        each.launch()
    for _, each in made:
        each.await_up()
        each.await_answer()
    for kind, each in made:
        wait_until(f"{each.name} to know its NAT",
                   lambda k=kind, e=each: e.status()["nat"]["kind"] == MAPPINGS[k], 5)
    return made


def test_a_node_learns_how_its_nat_maps(world):
    for kind, each in population(world):
        mapped = each.status()["nat"]["mapped"]
        gateway = next((host for host in world.hosts if host.name == f"{each.name}-nat"), None)
        expect((kind == NONE) == (not mapped), f"{each.name} is mapped to {mapped}")
        expect(all(one.startswith(f"{gateway.address}:") for one in mapped),
               f"{each.name} is mapped to {mapped}")
        shown = each.ipop("status").stdout
        expect(f"NAT         {MAPPINGS[kind]}" in shown, f"status says: {shown}")
        wait_until(f"both servers to answer {each.name}",
                   lambda e=each: "2 of 2 servers answer" in e.ipop("netcheck").stdout, 5)
        checked = each.ipop("netcheck").stdout
        expect("2 of 2 servers answer" in checked and f"({MAPPINGS[kind]})" in checked,
               f"netcheck says: {checked}")
        wait_until(f"{each.name} to know what its NAT lets in",
                   lambda k=kind, e=each: e.status()["nat"]["filtering"] == FILTERINGS[k], 5)


def direct_pings(one: Node, other: Node) -> dict:
    """No ping is lost, and the path is direct; returns what one knows of the other."""
    pings = ping(one.host, other.address, 5, 0.2, wait_s=4)
    expect(pings.lost == 0, f"{one.name}: lost pings number {pings.lost_numbers()}")
    peer = one.peer(other.address)
    expect(peer["path"] == "direct", f"{one.name}: the path is {peer['path']}")
    return peer


def test_a_cone_behind_a_cone_is_a_cone(world):
    servers = start_servers(world)
    nodes = [node_behind(world, name, (PORT_RESTRICTED, PORT_RESTRICTED), octet, servers)
             for octet, name in enumerate(("alice", "bob"), 10)]
    for each in nodes:
        each.start()
    for each in nodes:
        wait_until(f"{each.name} to know its NATs",
                   lambda e=each: e.status()["nat"]["kind"] == "endpoint-independent", 5)
    direct_pings(*nodes)


def test_two_behind_symmetric_nats_meet_by_ipv6(world):
    servers = start_servers(world)
    nodes = [node_behind(world, name, SYMMETRIC, octet, servers)
             for octet, name in enumerate(("alice", "bob"), 10)]
    addresses = {each.name: give_ipv6(world, each.host, next(
        host for host in world.hosts if host.name == f"{each.name}-nat")) for each in nodes}
    for each in nodes:
        each.start()
    alice, bob = nodes
    peer = direct_pings(alice, bob)
    expect(peer["endpoint"] == f"[{addresses['bob']}]:{PORT}", f"the path is {peer['endpoint']}")


if __name__ == "__main__":
    run_cases(globals())
