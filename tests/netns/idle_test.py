"""What a node costs when nothing happens, and how soon it is there.

    alice ─ router ─ bob, boot
"""

import time

from rig.cases import SOAK, run_cases
from rig.conditions import expect
from rig.node import start_together, trio
from rig.ping import ping

OBSERVE_S = 60 if SOAK else 10


def test_the_interface_is_up_within_a_second_of_the_start(world):
    alice, _, _ = trio(world)
    started = time.monotonic()
    alice.start()
    took_s = time.monotonic() - started
    expect(took_s < 1, f"it took {took_s:.2f} s")
    return f"{took_s * 1000:.0f} ms"


def test_an_idle_node_uses_less_than_one_percent_of_a_core_and_150_mb(world):
    alice, bob, _ = trio(world)
    start_together(alice, bob)
    expect(ping(alice.host, bob.address, 5, wait_s=3).lost == 0, "pings were lost")
    ping(alice.host, bob.address, 2, 1.0)  # Joining the DHT is not idling.
    before_s, started = alice.daemon.cpu_s(), time.monotonic()
    time.sleep(OBSERVE_S)  # The one thing to measure is time in which nothing happens.
    share = (alice.daemon.cpu_s() - before_s) / (time.monotonic() - started)
    memory = alice.daemon.rss_mb()
    expect(share < 0.01, f"{share:.1%} of a core over {OBSERVE_S} s")
    expect(memory < 150, f"{memory:.0f} MB")
    return f"{share:.2%} of a core, {memory:.0f} MB"


if __name__ == "__main__":
    run_cases(globals())
