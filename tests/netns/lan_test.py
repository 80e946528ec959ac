"""Nodes on one Ethernet, without a bootstrap node: they find each other by multicast.

    alice 10.77.0.1 ─┐
    bob   10.77.0.2 ─┼─ switch, no router
    carol 10.77.0.3 ─┘
"""

import time

from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.node import PORT, Node
from rig.ping import PingStream, ping
from rig.world import run

NETWORK = "ipop_on_one_link"
FIRST_REPLY_LIMIT_S = 1.0


def node_on(world, switch, name: str, octet: int, more: str = "") -> Node:
    number = len(world.hosts)
    host = world.inner_host(name, f"10.77.0.{number}")
    run("ip", "-n", switch.namespace, "link", "add", f"port{number}", "type", "veth",
        "peer", "name", "eth0", "netns", host.namespace)
    run("ip", "-n", switch.namespace, "link", "set", f"port{number}", "master", "switch", "up")
    run("ip", "-n", host.namespace, "address", "add", f"{host.address}/24", "dev", "eth0")
    run("ip", "-n", host.namespace, "link", "set", "eth0", "up")
    made = Node(host)
    made.init(octet)  # for its key
    made.configure(
        f"network: {{name: {NETWORK}, address: 192.168.10.{octet}/24, hostname: {name}}}\n"
        f'overlay: {{listen: ["0.0.0.0:{PORT}", "[::]:{PORT}"],'
        f' bootstrap: ["127.0.0.1:1"]{more}}}\n', f"192.168.10.{octet}")
    return made


def node_on_ipv6(world, switch, name: str, octet: int) -> Node:
    """The same without any IPv4."""
    made = node_on(world, switch, name, octet)
    made.host.run("ip", "-4", "address", "flush", "dev", "eth0")
    made.host.run("ip", "address", "add", f"fd77::{octet}/64", "dev", "eth0", "nodad")
    made.configure(
        f"network: {{name: {NETWORK}, address: 192.168.10.{octet}/24, hostname: {name}}}\n"
        f'overlay: {{listen: ["[::]:{PORT}"], bootstrap: ["[::1]:1"]}}\n', f"192.168.10.{octet}")
    return made


def switch_of(world):
    switch = world.inner_host("switch", "")
    switch.run("ip", "link", "add", "switch", "type", "bridge", "mcast_snooping", "0")
    switch.run("ip", "link", "set", "switch", "up")
    return switch


def test_nodes_on_one_link_need_no_hash_table(world):
    switch = switch_of(world)
    alice = node_on(world, switch, "alice", 10)
    bob = node_on(world, switch, "bob", 20)
    for each in (alice, bob):
        each.launch()
    for each in (alice, bob):
        each.await_up()
    pings = ping(alice.host, bob.address, 20, 0.05, wait_s=3)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    first_s = pings.first_reply_at - max(alice.up_at, bob.up_at)
    expect(first_s < FIRST_REPLY_LIMIT_S, f"the first reply came after {first_s:.2f} s")
    peer = alice.peer(bob.address)
    expect(peer["path"] == "lan", f"the path is {peer['path']}")
    # Whoever comes later is asked for at once, and has told everybody anyway.
    carol = node_on(world, switch, "carol", 30)
    carol.launch()
    carol.await_up()
    started = time.monotonic()
    stream = PingStream(bob.host, carol.address, 0.05)
    wait_until("a reply from carol", lambda: stream.so_far().replies, 3, 0.02)
    later_s = time.monotonic() - started
    stream.finish()
    expect(later_s < FIRST_REPLY_LIMIT_S, f"carol's first reply came after {later_s:.2f} s")
    return f"first reply after {first_s * 1000:.0f} ms, carol's after {later_s * 1000:.0f}"


def test_nodes_without_ipv4_find_each_other(world):
    switch = switch_of(world)
    alice = node_on_ipv6(world, switch, "alice", 10)
    bob = node_on_ipv6(world, switch, "bob", 20)
    for each in (alice, bob):
        each.launch()
    for each in (alice, bob):
        each.await_up()
    pings = ping(alice.host, bob.address, 20, 0.1, wait_s=3)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    peer = alice.peer(bob.address)
    expect(peer["endpoint"].startswith("[fd77::"), f"the endpoint is {peer['endpoint']}")


def test_switched_off_nobody_is_found_and_nobody_told(world):
    switch = switch_of(world)
    alice = node_on(world, switch, "alice", 10)
    bob = node_on(world, switch, "bob", 20, ", lan_discovery: false")
    for each in (alice, bob):
        each.launch()
    for each in (alice, bob):
        each.await_up()
    pings = ping(alice.host, bob.address, 3, 0.3, wait_s=1)
    expect(not pings.replies, "bob was found")
    for each in (alice, bob):
        expect(not each.status()["peers"], f"{each.name} has heard of somebody")


if __name__ == "__main__":
    run_cases(globals())
