"""One CA takes another's place in a network that is in use, as docs/certificates.md tells it.

    ca, new-ca  no ipopd, only `ipop ca`
    alice 192.168.10.10 ─┐
    bob   192.168.10.20 ─┼─ router ── boot (another network)
    carol 192.168.10.30 ─┘
"""

import shutil

from rig.ca import Ca, trust
from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.node import node, start_together, trio
from rig.ping import PingStream, ping

INTERVAL_S = 0.05
OLD, NEW = "cacert.pem", "new-cacert.pem"


def test_no_ping_is_lost_while_a_new_ca_takes_the_old_ones_place(world):
    alice, bob, boot = trio(world)
    carol = node(world, "carol", 30, [boot.endpoint])
    hosts = (alice, bob, carol)
    ca = Ca(world, alice)
    for each in hosts:
        ca.sign(each)
    start_together(*hosts)
    pairs = [(a, b) for a in hosts for b in hosts if a is not b]
    for a, b in pairs:
        expect(ping(a.host, b.address, 3, wait_s=3).lost == 0, f"lost pings {a.name}→{b.name}")
    streams = {f"{a.name}→{b.name}": PingStream(a.host, b.address, INTERVAL_S) for a, b in pairs}

    def go_on() -> None:
        """A second of pings, to the end of which what was changed has had its consequences."""
        counts = {name: len(stream.so_far().replies) for name, stream in streams.items()}
        for name, stream in streams.items():
            wait_until(f"20 more replies {name}",
                       lambda: len(stream.so_far().replies) >= counts[name] + 20, 10)

    go_on()
    new_ca = Ca(world, alice, "new-ca")
    for each in hosts:
        shutil.copy(new_ca.folder / OLD, each.host.directory / NEW)
        trust(each, ca=f"{OLD}, {NEW}")
        each.ipop("reload")
        go_on()
    for each in hosts:
        new_ca.sign(each)  # the same key, and in place of its certificate
        shutil.copy(ca.folder / OLD, each.host.directory)
        trust(each, ca=f"{OLD}, {NEW}")
        each.ipop("reload")
        go_on()
    for each in hosts:
        (each.host.directory / OLD).unlink()
        trust(each, ca=NEW)
        each.ipop("reload")
        go_on()
    go_on()
    results = {name: stream.finish() for name, stream in streams.items()}
    # The last one of each was under way when the stream ended.
    lost = {name: numbers for name, pings in results.items()
            if (numbers := [n for n in pings.lost_numbers() if n < pings.sent])}
    expect(not lost, f"lost pings: {lost}")
    # That the old CA counts for nothing any more: whom it alone has signed is refused.
    late = node(world, "late", 40, [boot.endpoint])
    ca.sign(late)
    late.start()
    expect(not ping(late.host, alice.address, 8, 0.3).replies, "the old CA's host was answered")
    return f"{sum(pings.sent for pings in results.values())} pings"


if __name__ == "__main__":
    run_cases(globals())
