"""Nodes that no hole can be punched between, and members of their network who pass on for them.

    boot          no NAT, not of the network: the way into the hash table, and a STUN server
    carol, dave   no NAT: relays, and STUN servers
    alice, bob    behind symmetric NATs, or behind firewalls that let them reach one relay only
"""

import time

from rig.cases import SOAK, run_cases
from rig.conditions import expect, wait_until
from rig.nat import NONE, PORT_RESTRICTED, SYMMETRIC, allow_only, behind
from rig.node import PORT, Node, node
from rig.ping import PingStream, ping
from rig.traffic import IperfServer, longest_stall_s, tcp_mbit

NETWORK = "ipop_relayed"
FIRST_REPLY_LIMIT_S = 1.0
STALL_LIMIT_S = 3.0


def start_relays(world) -> tuple:
    """Boot, and two who find out by themselves that they can relay."""
    boot = node(world, "boot", 1, network="ipop_boot_only")
    boot.start()
    relays = [node(world, name, octet, [boot.endpoint], network=NETWORK)
              for name, octet in (("carol", 101), ("dave", 102))]
    for each in relays:
        each.start()
    for each in relays:
        wait_until(f"{each.name} to relay", lambda e=each: e.status()["relay"]["serves"], 5)
    return boot, *relays


def member(world, name: str, octet: int, kind: str, boot: Node, stun: Node) -> Node:
    made = Node(behind(world, name, kind))
    made.init(octet)  # for its key
    made.configure(
        f"network: {{name: {NETWORK}, address: 192.168.10.{octet}/24, hostname: {name}}}\n"
        f'overlay: {{listen: ["0.0.0.0:{PORT}"], bootstrap: ["{boot.endpoint}"],'
        f' stun: ["{stun.endpoint}"]}}\n', f"192.168.10.{octet}")
    return made


def start_members(world, kinds, relays) -> tuple:
    """Alice and Bob, when both have relays that they can be reached through."""
    pair = tuple(member(world, name, octet, kind, *relays[:2])
                 for name, octet, kind in zip(("alice", "bob"), (10, 20), kinds))
    for each in pair:
        each.start()
    for each in pair:
        wait_until(f"{each.name} to have relays", lambda e=each: e.status()["relay"]["homes"], 10)
    return pair


def relays_between(one: Node, other: Node) -> list:
    peer = one.peer(other.address)
    expect(peer["path"] == "relay", f"{one.name}: the path is {peer['path']}")
    return peer["relay_via"]


def test_symmetric_nats_are_bridged_within_a_second(world):
    relays = start_relays(world)
    alice, bob = start_members(world, (SYMMETRIC, SYMMETRIC), relays)
    pings = ping(alice.host, bob.address, 20, 0.1, wait_s=3)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    first_ms = max(ms for _, _, ms in pings.replies)
    expect(first_ms < FIRST_REPLY_LIMIT_S * 1000, f"the first reply took {first_ms:.0f} ms")
    via = relays_between(alice, bob)
    expect(len(via) == 1 and via[0] in ("carol", "dave"), f"relayed through {via}")
    said = alice.ipop("ping", bob.address, "-c", "1").stdout
    expect(f"relay through {via[0]}" in said, f"ipop ping says: {said}")
    shown = alice.ipop("status", "bob").stdout
    expect("maps each destination to another port" in shown, f"ipop status says: {shown}")
    carried = sum(relay.status()["relay"]["packets"] for relay in relays[1:])
    expect(carried > 2 * pings.sent, f"the relays say that they carried {carried} packets")
    return f"first reply after {first_ms:.0f} ms"


def test_a_tcp_stream_survives_the_death_of_its_relay(world):
    relays = start_relays(world)
    alice, bob = start_members(world, (SYMMETRIC, SYMMETRIC), relays)
    expect(ping(alice.host, bob.address, 5, 0.1, wait_s=3).lost == 0, "pings were lost")
    wait_until("a second way", lambda: len(
        [one for one in alice.peer(bob.address)["candidates"] if one["kind"] == "relay"]) > 1, 10)
    used = relays_between(alice, bob)[0]
    victim = next(relay for relay in relays if relay.name == used)
    server = IperfServer(bob.host, bob.address)

    def kill():
        time.sleep(2)
        victim.daemon.kill()

    stall_s = longest_stall_s(alice.host, server, 7, kill)
    expect(stall_s <= STALL_LIMIT_S, f"nothing arrived for {stall_s:.1f} s")
    expect(relays_between(alice, bob) != [used], "the dead relay is still in use")
    return f"nothing arrived for {stall_s:.1f} s"


def test_two_relays_in_a_row_join_nodes_that_share_none(world):
    boot, carol, dave = start_relays(world)
    alice = member(world, "alice", 10, NONE, boot, dave)
    bob = member(world, "bob", 20, NONE, boot, carol)
    for each, only in ((alice, carol), (bob, dave)):
        allow_only(each.host, boot.host, only.host)
        each.start()
    for each in (alice, bob):
        wait_until(f"{each.name} to have a relay", lambda e=each: e.status()["relay"]["homes"], 15)
    pings = ping(alice.host, bob.address, 10, 0.2, wait_s=4)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    first_ms = max(ms for _, _, ms in pings.replies)
    via, back = relays_between(alice, bob), relays_between(bob, alice)
    expect(via == ["carol", "dave"], f"relayed through {via}")
    expect(back == ["dave", "carol"], f"relayed back through {back}")
    said = alice.ipop("ping", bob.address, "-c", "1").stdout
    expect(f"relay through {', then '.join(via)}" in said, f"ipop ping says: {said}")
    return f"first reply after {first_ms:.0f} ms"


def test_no_ping_is_lost_when_a_direct_path_takes_over(world):
    relays = start_relays(world)
    alice, bob = start_members(world, (PORT_RESTRICTED, PORT_RESTRICTED), relays)
    gateways = {host.name: host for host in world.hosts}
    rule = world.router().directory / "between.nft"
    rule.write_text(f"""
table ip between {{
  chain forward {{ type filter hook forward priority filter;
    ip saddr {gateways["alice-nat"].address} ip daddr {gateways["bob-nat"].address} drop;
    ip saddr {gateways["bob-nat"].address} ip daddr {gateways["alice-nat"].address} drop; }}
}}
""", encoding="utf-8")
    world.router().run("nft", "-f", rule)
    stream = PingStream(alice.host, bob.address, 0.02)
    wait_until("relayed pings", lambda: len(stream.so_far().replies) > 50, 5)
    relays_between(alice, bob)
    world.router().run("nft", "delete", "table", "ip", "between")
    wait_until("a direct path", lambda: all(
        one.peer(other.address)["path"] == "direct" for one, other in ((alice, bob), (bob, alice))),
        30)
    so_far = len(stream.so_far().replies)
    wait_until("pings by the direct path", lambda: len(stream.so_far().replies) > so_far + 50, 5)
    pings = stream.finish()
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()} of {pings.sent}")


if SOAK:  # a figure, and ten seconds
    def test_a_relayed_stream_next_to_a_direct_one(world):
        boot, carol, dave = start_relays(world)
        pair = [member(world, name, octet, NONE, boot, carol)
                for name, octet in (("alice", 10), ("bob", 20))]
        for each in pair:
            allow_only(each.host, boot.host, carol.host)
            each.start()
        alice, bob = pair
        # All whom they asked by STUN could answer: neither knows yet that it needs a relay.
        expect(ping(alice.host, bob.address, 5, 0.2, wait_s=4).lost == 0, "pings were lost")
        server = IperfServer(bob.host, bob.address)
        relays_between(alice, bob)
        relayed = tcp_mbit(alice.host, server, 5)
        for each in pair:
            each.host.run("nft", "delete", "table", "ip", "firewall")
        wait_until("a direct path", lambda: alice.peer(bob.address)["path"] != "relay", 70)
        direct = tcp_mbit(alice.host, server, 5)
        return f"{relayed:.0f} of {direct:.0f} Mbit/s: {relayed / direct:.2f}"


if __name__ == "__main__":
    run_cases(globals())
