"""Every kind of NAT against every other: how soon the first reply comes, how soon the path is
direct, and by which way it goes where it cannot be.

    carol, dave       no NAT: relays and STUN servers; carol is the way into the hash table
    none, full-cone,  one node behind each kind of NAT, and one whose firewall lets it reach carol
    …, blocked        alone

With IPOP_SOAK=1 two nodes behind each kind, so that every kind meets its like; the table is
printed. And nodes that have IPv4, IPv6, or both.
"""

import itertools
import statistics

from rig.cases import SOAK, run_cases
from rig.conditions import expect, wait_until
from rig.nat import (BLOCKED, CARRIER_GRADE, KINDS, NONE, PORT_RESTRICTED, SYMMETRIC, allow_only,
                     behind, give_ipv6, reaches, reaches_by_guessing)
from rig.node import PORT, Node
from rig.ping import PingStream

NETWORK = "ipop_matrix"
MEDIAN_LIMIT_S, SLOWEST_LIMIT_S, DIRECT_LIMIT_S = 1.0, 2.0, 2.0
GUESSED_LIMIT_S = 20


def started(world, name: str, kind: str, octet: int, carol, dave, guess="true") -> Node:
    """carol: None for carol herself, who has nobody to ask whether a NAT hides her."""
    made = Node(behind(world, name, kind))
    made.init(octet)  # for its key
    bootstrap = f'"{carol.endpoint}"' if carol else ""
    stun = f'"{dave.endpoint}"' if dave else ""
    relay = "" if carol else ", relay: {serve: true}"
    made.configure(
        f"network: {{name: {NETWORK}, address: 192.168.10.{octet}/24, hostname: {name}}}\n"
        f'overlay: {{listen: ["0.0.0.0:{PORT}"], bootstrap: [{bootstrap}],'
        f" stun: [{stun}], port_guessing: {guess}{relay}}}\n",
        f"192.168.10.{octet}")
    if kind == BLOCKED:
        allow_only(made.host, carol.host)
    made.launch()
    return made


def population(world, kinds, guess="true") -> list:
    """(kind, node) of all, joined, and with relays where they need them."""
    carol = started(world, "carol", "none", 101, None, None)
    carol.await_answer()
    dave = started(world, "dave", "none", 102, carol, None)
    dave.await_answer()
    wait_until("dave to relay", lambda: dave.status()["relay"]["serves"], 5)
    made = [(kind, started(world, f"{kind}-{number}", kind, 10 + number, carol, dave, guess))
            for number, kind in enumerate(kinds)]
    for kind, each in made:
        each.await_up()
        each.await_answer()
    for kind, each in made:
        if kind != "none":
            wait_until(f"{each.name} to have relays",
                       lambda e=each: e.status()["relay"]["homes"], 15)
    return made


def families(world) -> dict:
    """Nodes of IPv4 alone, of IPv6 alone, and of both, of each without and with a NAT for IPv4, and
    carol, who has both and relays; by name, joined."""
    def made(name: str, kind: str, octet: int, v4: bool, v6: bool, carol: str) -> Node:
        each = Node(behind(world, name, kind))
        gateway = next((host for host in world.hosts if host.name == f"{name}-nat"), None)
        address6 = give_ipv6(world, each.host, gateway) if v6 else ""
        each.init(octet)  # for its key
        listen = ['"0.0.0.0:4545"'] * v4 + ['"[::]:4545"'] * v6
        bootstrap = f'"{carol}"' if carol else ""
        relay = "" if carol else ", relay: {serve: true}"
        each.configure(
            f"network: {{name: {NETWORK}, address: 192.168.10.{octet}/24, hostname: {name}}}\n"
            f"overlay: {{listen: [{', '.join(listen)}], bootstrap: [{bootstrap}]{relay}}}\n",
            f"192.168.10.{octet}")
        each.launch()
        return each, address6

    carol, carol6 = made("carol", NONE, 101, True, True, "")
    carol.await_answer()
    nodes = {}
    for octet, (name, kind, v4, v6) in enumerate(
            (("ipv4", NONE, True, False), ("ipv4-nat", PORT_RESTRICTED, True, False),
             ("ipv6", NONE, False, True), ("both", NONE, True, True),
             ("both-nat", PORT_RESTRICTED, True, True)), 10):
        at = carol.endpoint if v4 else f"[{carol6}]:{PORT}"
        nodes[name], _ = made(name, kind, octet, v4, v6, at)
    for each in nodes.values():
        each.await_up()
        each.await_answer()
    return nodes


def test_nodes_with_ipv4_and_with_ipv6_meet_directly_where_they_share_one(world):
    nodes = families(world)
    rows = []
    for (one, here), (other, there) in itertools.combinations(nodes.items(), 2):
        direct = not {one.split("-")[0], other.split("-")[0]} == {"ipv4", "ipv6"}
        rows.append((one, other, *meet(here, there, direct)))
        # Whoever has both ends' IPv6 uses it.
        if "ipv4" not in one + other:
            wait_until(f"{one} and {other} to meet by IPv6",
                       lambda h=here, t=there: h.peer(t.address)["endpoint"].startswith("["), 5)
    named = [each["endpoint"] for each in nodes["both"].peer(nodes["ipv6"].address)["candidates"]
             if each["kind"] != "relay"]
    expect(named and all(each.startswith("[") for each in named),
           f"the node that listens to IPv6 alone is looked for at {named}")
    firsts = [row[2] for row in rows]
    if SOAK:
        for one, other, first_s, direct_s, path in rows:
            print(f"{one:24}{other:24}{first_s * 1000:9.0f} ms{direct_s or 0:12.2f} s  {path}")
    expect(max(firsts) <= SLOWEST_LIMIT_S, f"a first reply took {max(firsts):.2f} s")
    return (f"{len(rows)} pairs, first reply {statistics.median(firsts) * 1000:.0f} ms in the "
            f"median, {max(firsts) * 1000:.0f} at most")


def meet(one: Node, other: Node, direct: bool, limit_s: float = GUESSED_LIMIT_S) -> tuple:
    """Pings from one to the other; returns when the first came back, when both ends had a direct
    path (None: it stays relayed), and the path."""
    stream = PingStream(one.host, other.address, 0.05)
    wait_until(f"a reply from {other.name} to {one.name}", lambda: stream.so_far().replies, 5, 0.05)
    if direct:
        for here, there in ((one, other), (other, one)):
            wait_until(f"a direct path from {here.name} to {there.name}",
                       lambda h=here, t=there: h.peer(t.address)["path"] in ("lan", "direct"),
                       limit_s, 0.02)
    pings = stream.so_far()
    at_s = len(pings.replies) * 0.05
    path = one.peer(other.address)
    pings = stream.finish()
    # The last may still have been under way.
    lost = [number for number in pings.lost_numbers() if number < pings.sent - 1]
    expect(not lost, f"{one.name} and {other.name}: lost pings number {lost}")
    expect((path["path"] == "relay") != direct,
           f"{one.name} and {other.name}: the path is {path['path']}")
    first_s = max(ms for _, sequence, ms in pings.replies if sequence <= 20) / 1000
    return first_s, at_s if direct else None, " ".join([path["path"], *path["relay_via"]])


def test_every_pair_meets_and_directly_where_a_hole_can_be_punched(world):
    kinds = (*KINDS, CARRIER_GRADE, BLOCKED)
    made = population(world, kinds * 2 if SOAK else kinds)
    rows = []
    for (kind, one), (other_kind, other) in itertools.combinations(made, 2):
        guessed = reaches_by_guessing(kind, other_kind)
        rows.append((one.name, other.name,
                     *meet(one, other, guessed or reaches(kind, other_kind)), guessed))
    firsts = sorted(row[2] for row in rows)
    directs = sorted(row[3] for row in rows if row[3] is not None and not row[5])
    guesses = sorted(row[3] for row in rows if row[5])
    if SOAK:
        print(f"{'from':24}{'to':24}{'first reply':>12}{'direct after':>14}  path")
        for one, other, first_s, direct_s, path, guessed in rows:
            after = "-" if direct_s is None else f"{direct_s:.2f} s"
            path += " (ports guessed)" if guessed else ""
            print(f"{one:24}{other:24}{first_s * 1000:9.0f} ms{after:>14}  {path}")
    median, slowest = statistics.median(firsts), firsts[int(len(firsts) * 0.95)]
    expect(median <= MEDIAN_LIMIT_S, f"the first reply took {median:.2f} s in the median")
    expect(slowest <= SLOWEST_LIMIT_S, f"one in twenty first replies took {slowest:.2f} s")
    expect(directs[int(len(directs) * 0.95)] <= DIRECT_LIMIT_S,
           f"one in twenty direct paths took {directs[int(len(directs) * 0.95)]:.2f} s")
    return (f"{len(rows)} pairs, first reply {median * 1000:.0f} ms in the median, 95 % within "
            f"{slowest * 1000:.0f}; {len(directs)} direct, 95 % within "
            f"{directs[int(len(directs) * 0.95)]:.2f} s; {len(guesses)} by guessing ports, "
            f"after {statistics.median(guesses):.1f} s in the median, {guesses[-1]:.1f} s at most")


def test_hard_nats_meet_directly_where_both_ends_are_thorough(world):
    kinds = (SYMMETRIC, CARRIER_GRADE) * 2 if SOAK else (SYMMETRIC, CARRIER_GRADE)
    made = population(world, kinds, "thorough")
    # For as long as one attempt takes: 998 of 1,000 pairs meet in it.
    rows = [(one.name, other.name, *meet(one, other, True, 30))
            for (_, one), (_, other) in itertools.combinations(made, 2)]
    if SOAK:
        for one, other, first_s, direct_s, _ in rows:
            print(f"{one:24}{other:24}{first_s * 1000:9.0f} ms{direct_s:12.2f} s")
    directs = sorted(row[3] for row in rows)
    soon = sum(1 for direct_s in directs if direct_s <= GUESSED_LIMIT_S)
    expect(not SOAK or soon * 10 >= len(directs) * 9,
           f"{soon} of {len(directs)} pairs were direct within {GUESSED_LIMIT_S} s")
    return (f"{len(rows)} pairs direct, after {statistics.median(directs):.1f} s in the median, "
            f"{directs[-1]:.1f} at most")


if __name__ == "__main__":
    run_cases(globals())
