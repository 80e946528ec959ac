"""The way into the hash table is dark: at the start, or later on.

    boot         the only bootstrap node, of a network of its own
    alice, bob   no NAT
"""

import time

from rig.cases import SOAK, run_cases
from rig.conditions import expect, wait_until
from rig.node import node
from rig.ping import ping

DARK_S = 60 if SOAK else 5
JOINED_LIMIT_S = 3.0
LOST_S = 600 if SOAK else 3


def test_a_bootstrap_node_that_comes_late_is_joined_within_three_seconds(world):
    boot = node(world, "boot", 1, network="ipop_bootstrap_only")
    alice = node(world, "alice", 10, [boot.endpoint])
    bob = node(world, "bob", 20, [boot.endpoint])
    for each in (alice, bob):
        each.start()
    time.sleep(DARK_S)
    for each in (alice, bob):
        expect(not each.status()["dht"]["connected"], f"{each.name} has joined nobody")
    boot.start()
    back = time.time()
    for each in (alice, bob):
        wait_until(f"{each.name} to join", lambda e=each: e.status()["dht"]["connected"], 20)
    joined_s = time.time() - back
    expect(joined_s < JOINED_LIMIT_S, f"joined {joined_s:.1f} s after it was back")
    wait_until("a reply from bob", lambda: ping(alice.host, bob.address, 1).lost == 0, 5)
    return f"joined {joined_s:.1f} s after {DARK_S} s of darkness"


def test_peers_that_know_each_other_need_no_hash_table(world):
    boot = node(world, "boot", 1, network="ipop_bootstrap_only")
    boot.start()
    alice = node(world, "alice", 10, [boot.endpoint])
    bob = node(world, "bob", 20, [boot.endpoint])
    for each in (alice, bob):
        each.start()
    expect(ping(alice.host, bob.address, 3, wait_s=3).lost == 0, "pings were lost at the start")
    boot.daemon.kill()
    pings = ping(alice.host, bob.address, LOST_S * 2, 0.5)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    bob.stop()
    bob.start()
    pings = ping(alice.host, bob.address, 5, 0.2, wait_s=3)
    expect(pings.lost == 0, f"after a restart: lost pings number {pings.lost_numbers()}")


if __name__ == "__main__":
    run_cases(globals())
