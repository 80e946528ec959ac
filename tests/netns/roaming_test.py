"""A node that moves while others talk to it: how soon they hear it again.

    alice 10.9.2.2 ─┐
    bob   10.9.3.2 ─┼─ router
    boot  10.9.1.2 ─┘
"""

import time

from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.node import start_together, trio
from rig.ping import PingStream, ping

# From the moment on which the new address and its route are there.
BACK_LIMIT_S = 1.0
INTERVAL_S = 0.02


def start_pair(world) -> tuple:
    alice, bob, _ = trio(world)
    start_together(alice, bob)
    expect(ping(alice.host, bob.address, 5, wait_s=3).lost == 0, "pings were lost at the start")
    return alice, bob


def change_address(host, new: str) -> float:
    """As a machine does that joins another network; returns when it was done."""
    gateway = host.address.rsplit(".", 1)[0] + ".1"
    host.run("ip", "address", "delete", f"{host.address}/24", "dev", "eth0")
    time.sleep(0.3)
    host.run("ip", "address", "add", f"{new}/24", "dev", "eth0")
    host.run("ip", "route", "replace", "default", "via", gateway)
    return time.time()


def first_after(stream: PingStream, moment: float) -> float:
    """The time of the first reply after the moment; 0 if there is none yet."""
    return next((at for at, _, _ in stream.so_far().replies if at > moment), 0.0)


def test_traffic_goes_on_within_a_second_after_an_address_changes(world):
    alice, bob = start_pair(world)
    new = alice.host.address.rsplit(".", 1)[0] + ".77"
    streams = [PingStream(alice.host, bob.address, INTERVAL_S),
               PingStream(bob.host, alice.address, INTERVAL_S)]
    for stream in streams:
        wait_until("pings", lambda s=stream: len(s.so_far().replies) > 20, 5)
    done = change_address(alice.host, new)
    back_s = max(wait_until("replies from the new address", lambda s=each: first_after(s, done), 10)
                 for each in streams) - done
    for stream in streams:
        stream.finish()
    expect(back_s < BACK_LIMIT_S, f"replies came back after {back_s:.2f} s")
    expect(bob.peer(alice.address)["endpoint"].startswith(f"{new}:"),
           f"bob still sends to {bob.peer(alice.address)['endpoint']}")
    return f"replies {back_s * 1000:.0f} ms after the new address was there"


def test_a_silent_node_tells_its_peers_that_it_moved(world):
    """Nobody pings: the peers must know before somebody needs it."""
    alice, bob = start_pair(world)
    new = alice.host.address.rsplit(".", 1)[0] + ".77"
    change_address(alice.host, new)
    wait_until("bob to know alice's new endpoint",
               lambda: bob.peer(alice.address)["endpoint"].startswith(f"{new}:"), BACK_LIMIT_S)
    expect(ping(bob.host, alice.address, 3, wait_s=1).lost == 0, "pings were lost afterwards")


if __name__ == "__main__":
    run_cases(globals())
