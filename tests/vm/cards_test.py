"""Two daemons, each with a PCI card of its own by vfio-pci behind an IOMMU.

    alice 192.168.10.10 (10.77.0.1) ─ cable ─ bob 192.168.10.20 (10.77.0.2)
"""

from lab.card import E1000E, VIRTIO, VMXNET3, Card
from lab.machines import Lab
from lab.two_nodes import dpdk_nodes, must_balance, must_ping, start_all
from rig.cases import run_cases
from rig.conditions import expect
from rig.traffic import IperfServer, tcp_mbit


def carries(lab: Lab, card: Card) -> str:
    """Pings, TCP in both directions, all packets accounted for, and a clean end."""
    nodes = dpdk_nodes(lab, card)
    start_all(*nodes)
    alice, bob = nodes
    pings = must_ping(alice, bob)
    server = IperfServer(bob.host, bob.address)
    forth = tcp_mbit(alice.host, server, 2)
    back = tcp_mbit(alice.host, server, 2, 1, "-R")
    for node in nodes:
        wire = node.status()["engine"]["wire"]
        expect(wire == card.dpdk_driver, f"{node.name} has {wire} for its wire")
        must_balance(node)
    for node in nodes:
        node.stop()
    return f"{pings}; {forth:.0f} and back {back:.0f} Mbit/s"


def test_two_daemons_meet_by_virtio_cards(lab):
    return carries(lab, VIRTIO)


def test_two_daemons_meet_by_vmxnet3_cards(lab):
    return carries(lab, VMXNET3)


def test_two_daemons_meet_by_e1000e_cards(lab):
    return carries(lab, E1000E)


if __name__ == "__main__":
    run_cases(globals(), Lab)
