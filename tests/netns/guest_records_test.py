"""Nodes whose firewall lets them reach one relay alone, in a hash table of many nodes: what they
store themselves gets to that relay only, and hardly anybody asks there.

    dht-1 … dht-24   Debian's dhtnode: the hash table
    carol            relays
    guest-1 …        may talk to carol alone
    caller-1 …       no firewall; do not know carol
"""

import statistics

from rig.cases import SOAK, run_cases
from rig.conditions import expect, wait_until
from rig.nat import allow_only
from rig.node import PORT, Node
from rig.ping import PingStream

NETWORK = "ipop_guests"
DHT_PORT = 4222
DHT_NODES = 24
GUESTS = 12 if SOAK else 4
FIRST_REPLY_LIMIT_S = 2.0


def hash_table(world) -> str:
    """Its way in."""
    hosts = [world.host(f"dht-{number}") for number in range(1, DHT_NODES + 1)]
    first = f"{hosts[0].address}:{DHT_PORT}"
    for host in hosts:
        host.start("dhtnode", "-p", DHT_PORT, *([] if host is hosts[0] else ["-b", first]))
    return first


def member(world, name: str, octet: int, bootstrap: str, more: str = "") -> Node:
    made = Node(world.host(name))
    made.init(octet)  # for its key
    made.configure(
        f"network: {{name: {NETWORK}, address: 192.168.10.{octet}/24, hostname: {name}}}\n"
        f'overlay: {{listen: ["0.0.0.0:{PORT}"], bootstrap: ["{bootstrap}"]{more}}}\n',
        f"192.168.10.{octet}")
    return made


def test_a_node_that_reaches_one_relay_alone_is_found(world):
    table = hash_table(world)
    carol = member(world, "carol", 101, table, ", relay: {serve: true}")
    carol.start()
    wait_until("carol in the hash table", lambda: carol.status()["dht"]["nodes"] >= 8, 15)
    # A STUN server that is out of reach tells a guest that something is in its way.
    guests = [member(world, f"guest-{number}", 10 + number, carol.endpoint, f', stun: ["{table}"]')
              for number in range(1, GUESTS + 1)]
    for guest in guests:
        allow_only(guest.host, carol.host)
        guest.launch()
    for guest in guests:
        guest.await_answer()
        wait_until(f"{guest.name} to have a relay",
                   lambda g=guest: g.status()["relay"]["homes"] == ["carol"], 15)
    wait_until("carol to keep the records of all",
               lambda: carol.status()["relay"]["records"] == 2 * GUESTS, 5)
    # Each asks for one guest: whoever has found one knows carol, and asks her for the others.
    callers = [member(world, f"caller-{number}", 50 + number, table, ", relay: {serve: false}")
               for number in range(1, GUESTS + 1)]
    for caller in callers:
        caller.launch()
    firsts = []
    for caller, guest in zip(callers, guests):
        caller.await_answer()
        wait_until(f"{caller.name} in the hash table",
                   lambda c=caller: c.status()["dht"]["nodes"] >= 8, 15)
        stream = PingStream(caller.host, guest.address, 0.05)
        wait_until(f"a reply from {guest.name}", lambda s=stream: s.so_far().replies, 5, 0.05)
        pings = stream.finish()
        lost = [number for number in pings.lost_numbers() if number < pings.sent - 1]
        expect(not lost, f"{guest.name}: lost pings number {lost}")
        firsts.append(max(ms for _, sequence, ms in pings.replies if sequence <= 20))
        path = caller.peer(guest.address)
        expect(path["relay_via"] == ["carol"], f"{guest.name} is reached by {path}")
    expect(max(firsts) <= FIRST_REPLY_LIMIT_S * 1000, f"first replies took {firsts} ms")
    return (f"{GUESTS} guests: first reply {statistics.median(firsts):.0f} ms in the median, "
            f"{max(firsts):.0f} at most")


if __name__ == "__main__":
    run_cases(globals())
