"""A card that has nothing to do, and one whose cable is pulled.

    alice 192.168.10.10 (10.77.0.1) ─ cable ─ bob 192.168.10.20 (10.77.0.2)
"""

import time

from lab.card import E1000E, VIRTIO, VMXNET3, Card
from lab.machines import Lab
from lab.two_nodes import dpdk_nodes, must_balance, must_ping, start_all
from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.ping import PingStream, ping

IDLE_S = 5
DOWN_S = 2
# Emulated, everything costs ten times as much as on a machine: these tell sleeping from polling.
ASLEEP = 0.15
NAPPING = 0.5


def sleeps_and_comes_back(lab: Lab, card: Card) -> str:
    nodes = dpdk_nodes(lab, card)
    start_all(*nodes)
    alice, bob = nodes
    must_ping(alice, bob, 5)
    share = bob.cpu_share(IDLE_S)
    most = ASLEEP if card.has_rx_interrupts else NAPPING
    expect(share < most, f"an idle ipopd takes {share:.0%} of a core")
    # Each of these has to wake both ends anew.
    waking = ping(alice.host, bob.address, 10, 0.5, wait_s=5)
    expect(waking.lost == 0, f"lost pings number {waking.lost_numbers()} of sleepers")
    slowest = max(milliseconds for _, _, milliseconds in waking.replies)
    expect(slowest < 400, f"a sleeper answered after {slowest:.0f} ms")
    must_come_back(lab, alice, bob)
    for node in nodes:
        must_balance(node)
        node.stop()
    return f"idle {share:.1%} of a core; woken in {waking.average_ms():.1f} ms"


def must_come_back(lab: Lab, alice, bob) -> None:
    """The cable is pulled at both cards, for long enough to lose pings, and put back."""
    pings = PingStream(alice.host, bob.address, 0.2)
    set_link(lab, up=False)
    time.sleep(DOWN_S)
    during = len(pings.so_far().replies)
    set_link(lab, up=True)
    wait_until("pings to come back",
               lambda: len(pings.so_far().replies) > during + 10, 30, 0.5)
    lost = pings.finish().lost
    expect(lost >= 1, "no ping was lost without a cable")


def set_link(lab: Lab, up: bool) -> None:
    for guest in lab.guests:
        guest.monitor.order("set_link", name="card", up=up)


def test_a_virtio_card_sleeps_when_idle_and_outlives_its_cable(lab):
    return sleeps_and_comes_back(lab, VIRTIO)


def test_a_vmxnet3_card_sleeps_when_idle_and_outlives_its_cable(lab):
    return sleeps_and_comes_back(lab, VMXNET3)


def test_an_e1000e_card_without_interrupts_naps_when_idle_and_outlives_its_cable(lab):
    return sleeps_and_comes_back(lab, E1000E)


if __name__ == "__main__":
    run_cases(globals(), Lab)
