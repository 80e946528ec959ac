"""Ports that the router at home forwards by request: made, used, renewed, given back.

    alice ── her router ┐
                        ├ router ── boot: the way into the hash table, and STUN server
    bob ──── his NAT    ┘
"""

import sys
import time
from pathlib import Path

from rig import odd_router
from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.home_router import HomeRouter
from rig.nat import SYMMETRIC, behind
from rig.node import PORT, Node, node
from rig.ping import ping

STOP_LIMIT_S = 2.0
PROTOCOLS = {"pcp": {"upnp": False}, "upnp": {"nat_pmp": False}}


def boot_node(world) -> Node:
    boot = node(world, "boot", 1, network="ipop_bootstrap_only")
    boot.start()
    return boot


def member(host, octet: int, boot: Node) -> Node:
    made = Node(host)
    made.init(octet, [boot.endpoint], network="ipop_at_home")
    return made


def mapping(of: Node) -> dict:
    return of.status()["nat"]["port_mapping"]


def await_mapping(of: Node, protocol: str) -> dict:
    wait_until(f"a mapping by {protocol} on {of.name}",
               lambda: mapping(of)["protocol"] == protocol, 8)
    return mapping(of)


def stop_quickly(each: Node) -> float:
    started = time.monotonic()
    each.stop()
    took_s = time.monotonic() - started
    expect(took_s < STOP_LIMIT_S, f"{each.name} took {took_s:.1f} s to stop")
    return took_s


def lone_node(world, name: str = "alice") -> tuple:
    """A router without a daemon, and a node behind it that knows nobody."""
    router = HomeRouter(world, name, SYMMETRIC)
    alice = Node(router.inside)
    alice.init(10)
    alice.configure("network: {name: ipop_alone, address: 192.168.10.10/24}\n"
                    f'overlay: {{listen: ["0.0.0.0:{PORT}"], bootstrap: ["10.9.99.9:9"]}}\n',
                    "192.168.10.10")
    return router, alice


def start_odd_router(router: HomeRouter, what: str):
    daemon = router.host.start(sys.executable, Path(odd_router.__file__), what, router.lan_address,
                               name="odd_router")
    daemon.wait_for_line("ready", 5)
    return daemon


def test_a_node_behind_a_symmetric_nat_is_met_at_the_port_that_its_router_forwards(world):
    boot = boot_node(world)
    bob = member(behind(world, "bob", SYMMETRIC), 9, boot)
    bob.start()
    for octet, (protocol, options) in enumerate(PROTOCOLS.items(), 10):
        router = HomeRouter(world, f"alice-{protocol}", SYMMETRIC)
        router.start(**options)
        alice = member(router.inside, octet, boot)
        alice.start()
        made = await_mapping(alice, protocol)
        outside = f"{router.outside}:{PORT}"
        expect(made["outside"] == outside and made["why"] == "", f"the mapping is {made}")
        expect(len(router.forwards()) == 1, f"the router's rules are {router.forwards()}")
        checked = alice.ipop("netcheck").stdout
        expect(f"forwards {outside} to this node by {protocol}, " in checked,
               f"netcheck says: {checked}")
        pings = ping(bob.host, alice.address, 5, 0.2, wait_s=4)
        expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
        peer = bob.peer(alice.address)
        expect(peer["path"] == "direct" and peer["endpoint"] == outside,
               f"{peer['path']} by {peer['endpoint']}")
        alice.ipop("down")
        alice.daemon.wait(STOP_LIMIT_S)
        expect(router.forwards() == [], f"left behind at the router: {router.forwards()}")


def test_a_mapping_is_made_anew_at_a_router_that_restarted(world):
    router, alice = lone_node(world)
    router.start(nat_pmp=False)
    alice.start()
    await_mapping(alice, "upnp")
    router.daemon.stop()
    router.start(nat_pmp=False)
    expect(router.forwards() == [], "the router has not forgotten")
    # A node looks every minute, and when its network changes.
    alice.host.run("ip", "route", "add", "192.0.2.0/24", "dev", "eth0")
    wait_until("a new mapping", router.forwards, 6)


def test_a_short_mapping_is_renewed_before_its_end(world):
    router, alice = lone_node(world)
    daemon = start_odd_router(router, "short")
    alice.start()
    made = await_mapping(alice, "nat-pmp")
    expect(made["expires_s"] <= odd_router.LIFE_S, f"the mapping is {made}")
    request = f"map {PORT} to {PORT} for 7200"
    wait_until("two renewals", lambda: daemon.log().count(request) >= 3, 3 * odd_router.LIFE_S)
    expect(mapping(alice)["protocol"] == "nat-pmp", "the mapping is gone")
    stop_quickly(alice)
    daemon.wait_for_line(f"map {PORT} to 0 for 0", 1)


def test_a_router_that_lies_is_not_believed(world):
    router, alice = lone_node(world)
    start_odd_router(router, "lie")
    alice.start()
    made = await_mapping(alice, "nat-pmp")
    expect("cannot be" in made["why"], f"the mapping is {made}")
    expect(alice.status()["nat"]["mapped"] == [], "others are told of it")


def test_a_router_that_hangs_does_not_hold_up_the_end(world):
    router, alice = lone_node(world)
    daemon = start_odd_router(router, "hang")
    alice.start()
    daemon.wait_for_line("connected", 8)
    asking_s = stop_quickly(alice)
    other_router, carol = lone_node(world, "carol")
    other_router.start(nat_pmp=False)
    carol.start()
    await_mapping(carol, "upnp")
    other_router.host.run("kill", "-STOP", other_router.daemon.pid)
    giving_back_s = stop_quickly(carol)
    return f"{asking_s * 1000:.0f} ms while asking, {giving_back_s * 1000:.0f} while giving back"


def test_a_node_without_a_router_that_answers_says_so(world):
    _, alice = lone_node(world)
    alice.start()
    wait_until("alice to give up",
               lambda: mapping(alice)["why"] == "no gateway answers", 8)
    expect("Router  no port: no gateway answers" in alice.ipop("netcheck").stdout,
           "netcheck does not say so")


if __name__ == "__main__":
    run_cases(globals())
