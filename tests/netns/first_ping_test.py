"""The first ping: how soon after the start it is answered, and that none is lost.

    alice 192.168.10.10 (10.9.2.2) ─┐
    bob   192.168.10.20 (10.9.3.2) ─┼─ router
    boot  another network (10.9.1.2) ┘
"""

import time

from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.node import start_together, trio
from rig.ping import PingStream, ping

# From both interfaces up to the first reply. The machine of a test run is busy with other things.
FIRST_REPLY_LIMIT_S = 1.0


def test_the_first_reply_comes_within_a_second_and_no_ping_is_lost(world):
    alice, bob, _ = trio(world)
    start_together(alice, bob)
    pings = ping(alice.host, bob.address, 100, 0.05, wait_s=3)
    first_s = pings.first_reply_at - max(alice.up_at, bob.up_at)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    expect(first_s < FIRST_REPLY_LIMIT_S, f"the first reply came after {first_s:.2f} s")
    return f"first reply after {first_s * 1000:.0f} ms"


def test_no_ping_is_lost_when_both_ends_begin_at_once(world):
    alice, bob, _ = trio(world)
    start_together(alice, bob)
    streams = [PingStream(alice.host, bob.address), PingStream(bob.host, alice.address)]
    for stream in streams:
        wait_until("forty pings from each end", lambda s=stream: len(s.so_far().replies) >= 40, 15)
    for stream in streams:
        pings = stream.finish()
        # The last may be on its way while the stream ends.
        lost = [n for n in pings.lost_numbers() if n < pings.sent]
        expect(not lost, f"lost pings number {lost} of {pings.sent}")


def test_status_and_ipop_ping_tell_the_same_story(world):
    alice, bob, _ = trio(world)
    start_together(alice, bob)
    expect(ping(alice.host, bob.address, 5, wait_s=3).lost == 0, "pings were lost")
    peer = alice.peer(bob.address)
    expect(peer, f"status does not know {bob.address}")
    expect(peer["hostname"] == "bob", f"hostname is {peer['hostname']}")
    expect(peer["path"] in ("direct", "lan"), f"path is {peer['path']}")
    expect(peer["endpoint"].startswith(bob.host.address + ":"), f"endpoint is {peer['endpoint']}")
    expect(peer["tx_packets"] >= 5 and peer["rx_packets"] >= 5, f"packets: {peer}")
    expect("bob" in alice.ipop("status", bob.address).stdout, "status PEER does not name the peer")
    alice.ipop("ping", bob.address, "-c", "3")


def test_an_address_that_nobody_holds_is_unreachable(world):
    alice, bob, _ = trio(world)
    start_together(alice, bob)
    started = time.monotonic()
    pings = ping(alice.host, "192.168.10.99", 5, 1.0)
    expect(pings.unreachable > 0, f"no word of unreachability in: {pings.output}")
    expect(not pings.replies, "somebody answered")
    expect(time.monotonic() - started < 20, "it took more than 20 s")
    expect(ping(alice.host, bob.address, 5, wait_s=3).lost == 0, "bob is out of reach afterwards")


if __name__ == "__main__":
    run_cases(globals())
