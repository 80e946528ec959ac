"""Ports that the home router forwards by request: made, used, renewed, given back.

    alice ── her router ┐
                        ├ router ── boot: the way into the hash table, and STUN server
    bob ──── his router ┘
"""

from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.home_router import HomeRouter
from rig.nat import PORT_RESTRICTED, SYMMETRIC, behind
from rig.node import PORT, Node, node
from rig.ping import ping


def member(host, octet: int, boot: Node) -> Node:
    made = Node(host)
    made.init(octet, [boot.endpoint], network="ipop_at_home")
    return made


def boot_node(world) -> Node:
    boot = node(world, "boot", 1, network="ipop_bootstrap_only")
    boot.start()
    return boot


def mapping(of: Node) -> dict:
    return of.status()["nat"]["port_mapping"]


def await_mapping(of: Node, protocol: str, limit_s: float = 8) -> dict:
    return wait_until(f"a mapping by {protocol} on {of.name}",
                      lambda: (lambda now: now if now["protocol"] == protocol else None)(mapping(of)),
                      limit_s)


def test_a_port_is_mapped_by_either_protocol_used_and_given_back(world):
    boot = boot_node(world)
    for octet, (protocol, options) in enumerate((("nat-pmp", {"upnp": False}),
                                                 ("upnp", {"nat_pmp": False})), 10):
        router = HomeRouter(world, f"alice-{protocol}", SYMMETRIC)
        router.start(**options)
        alice = member(router.inside, octet, boot)
        alice.start()
        made = await_mapping(alice, protocol)
        print(made, router.forwards(), alice.ipop("netcheck").stdout)
        alice.stop()
        print(router.forwards())


if __name__ == "__main__":
    run_cases(globals())
