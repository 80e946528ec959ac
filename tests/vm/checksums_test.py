"""Checksums that a card computes in the place of the daemon are right, as another machine's kernel
sees them, whose card checks nothing for it.

    alice (10.77.0.1, DPDK) ─ cable ─ bob (10.77.0.2, kernel's virtio_net, UDP sockets)
"""

from lab.card import E1000E, VIRTIO, VMXNET3, Card
from lab.machines import CARD_ADDRESS, Lab
from lab.node import GuestNode
from lab.two_nodes import must_balance, must_ping, start_all, wire_section
from rig.cases import run_cases
from rig.conditions import expect

PINGS = 30


def kernel_counts(node: GuestNode) -> dict:
    """UDP of /proc/net/snmp, by name."""
    lines = [line.split()[1:] for line in
             node.host.run("grep", "^Udp:", "/proc/net/snmp").stdout.splitlines()]
    return dict(zip(lines[0], map(int, lines[1])))


def sums_right(lab: Lab, card: Card) -> str:
    guests = lab.pair(card, VIRTIO)
    alice, bob = (GuestNode(guest, octet) for guest, octet in zip(guests, (10, 20)))
    guests[0].run("bind_card", "vfio-pci", CARD_ADDRESS)
    guests[1].take_address(VIRTIO)
    alice.init(guests[1], wire_section(guests[0].address))
    bob.init(guests[0])
    # The kernel shows datagrams that it has joined with the sum of their pseudo-header alone.
    guests[1].run("ethtool", "-K", "eth0", "gro", "off")
    watcher = guests[1].start("tcpdump", "-Z", "root", "-n", "-vv", "-l", "-i", "eth0",
                              "udp and src", guests[0].address)
    watcher.wait_for_line("listening on eth0", 20)
    start_all(alice, bob)
    must_ping(alice, bob, PINGS)
    must_ping(bob, alice, PINGS)
    counted = kernel_counts(bob)
    watcher.stop()
    seen = watcher.log()
    right, absent = seen.count("udp sum ok"), seen.count("[no cksum]")
    wrong = seen.count("bad")  # "bad udp cksum", and "bad cksum" of the IP header
    at = seen.find("bad")
    expect(wrong == 0, f"{wrong} checksums are wrong: {seen[max(at - 200, 0):at + 200]}")
    expect(absent == 0, f"{absent} datagrams have no checksum, though {card.device} computes them")
    expect(right >= 2 * PINGS, f"only {right} checksums were seen")
    expect(counted["InCsumErrors"] == 0, f"bob's kernel refused {counted['InCsumErrors']}")
    for node in (alice, bob):
        must_balance(node)
        node.stop()
    return f"{right} right, none wrong or missing"


def test_checksums_of_a_vmxnet3_card_are_right(lab):
    return sums_right(lab, VMXNET3)


def test_checksums_of_an_e1000e_card_are_right(lab):
    return sums_right(lab, E1000E)


if __name__ == "__main__":
    run_cases(globals(), Lab)
