"""Load: many TCP streams, UDP of many sizes. Memory stays flat and every packet has one fate.

    alice 192.168.10.10 ─ router ─ bob 192.168.10.20, boot (another network)
"""

from rig.cases import SOAK, run_cases
from rig.conditions import Failure, expect, wait_until
from rig.node import start_together, trio
from rig.ping import ping
from rig.traffic import IperfServer, tcp_mbit, transfer, udp_received_pps

SECONDS = 60 if SOAK else 5
UDP_SIZES = (64, 200, 576, 1000, 1400)
GROWTH_LIMIT_MB = 8


def connected_pair(world) -> tuple:
    alice, bob, _ = trio(world)
    start_together(alice, bob)
    expect(ping(alice.host, bob.address, 5, wait_s=3).lost == 0, "pings were lost before")
    return alice, bob


def unbalanced(node) -> str:
    """Why the node's packets do not add up now; empty if they do."""
    engine = node.status()["engine"]
    counters = engine["counters"]
    came = sum(counters[name] for name in ("host_rx", "wire_rx", "injected", "generated"))
    went = sum(engine["fates"].values()) + sum(engine["drops"].values()) + counters["staged"]
    return "" if came == went else f"{came} packets came, {went} have a fate: {engine}"


def must_balance(node) -> None:
    try:
        wait_until("balance", lambda: not unbalanced(node), 10, 0.3)
    except Failure:
        raise Failure(f"{node.name}: {unbalanced(node)}") from None


def test_sixteen_tcp_streams_run_through_and_every_packet_has_one_fate(world):
    alice, bob = connected_pair(world)
    server = IperfServer(bob.host, bob.address)
    tcp_mbit(alice.host, server, 2, 16)  # Buffers and tables take their size now.
    before = {each: each.daemon.rss_mb() for each in (alice, bob)}
    mbit = tcp_mbit(alice.host, server, SECONDS, 16)
    mbit_back = tcp_mbit(alice.host, server, SECONDS, 16, "-R")
    expect(min(mbit, mbit_back) > 10, f"only {mbit:.0f} and {mbit_back:.0f} Mbit/s")
    for each, memory in before.items():
        grown = each.daemon.rss_mb() - memory
        expect(grown < GROWTH_LIMIT_MB, f"{each.name} grew by {grown:.1f} MB")
        must_balance(each)
    return f"{mbit:.0f} and back {mbit_back:.0f} Mbit/s"


def test_udp_of_all_sizes_runs_through_and_every_packet_has_one_fate(world):
    alice, bob = connected_pair(world)
    server = IperfServer(bob.host, bob.address)
    rates = []
    for size in UDP_SIZES:
        pps = udp_received_pps(alice.host, server, max(1, SECONDS // len(UDP_SIZES)), size)
        expect(pps > 500, f"only {pps:.0f} datagrams of {size} bytes a second arrived")
        rates.append(f"{size} B {pps / 1000:.0f} k/s")
    for each in (alice, bob):
        each.daemon.must_run()
        must_balance(each)
    expect(ping(alice.host, bob.address, 10).lost == 0, "pings were lost afterwards")
    return ", ".join(rates)


def test_bytes_arrive_as_they_were_sent(world):
    alice, bob = connected_pair(world)
    megabytes = 500 if SOAK else 20
    transfer(alice.host, bob.host, bob.address, megabytes)
    transfer(bob.host, alice.host, alice.address, megabytes)


def test_large_and_odd_pings_arrive(world):
    alice, bob = connected_pair(world)
    for size in (0, 1, 15, 16, 17, 1000, 1300, 1400, 1500, 4000, 9000):
        pings = ping(alice.host, bob.address, 3, 0.05, size=size)
        expect(pings.lost == 0, f"{pings.lost} of {pings.sent} pings of {size} bytes were lost")


if __name__ == "__main__":
    run_cases(globals())
