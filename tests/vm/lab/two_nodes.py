"""Two guests whose cards are the wires of two daemons, and what has to hold between them."""

from lab.card import Card
from lab.machines import CARD_ADDRESS, Lab
from lab.node import GuestNode
from load_test import unbalanced
from rig.conditions import Failure, expect, wait_until
from rig.ping import ping

# What would mean that a card or its driver does something wrong with frames.
NEVER = ("malformed", "bad_checksum", "fragment", "no_route", "too_big", "copied")


def wire_section(address: str, device: str = CARD_ADDRESS) -> str:
    return f'wire: {{backend: dpdk, device: "{device}", address: {address}/24}}'


def dpdk_nodes(lab: Lab, card: Card, **options) -> tuple:
    """alice and bob, configured, not started; each bootstraps at the other."""
    guests = lab.pair(card, **options)
    nodes = []
    for guest, other, octet in zip(guests, reversed(guests), (10, 20)):
        guest.run("bind_card", "vfio-pci", CARD_ADDRESS)
        node = GuestNode(guest, octet)
        node.init(other, wire_section(guest.address))
        nodes.append(node)
    return tuple(nodes)


def start_all(*nodes) -> None:
    for node in nodes:
        node.launch()
    for node in nodes:
        node.await_up()


def must_ping(alice: GuestNode, bob: GuestNode, count: int = 20) -> str:
    """The first reply may take the time of a meeting; none is lost."""
    first = ping(alice.host, bob.address, 1, wait_s=20)
    expect(first.lost == 0, f"no reply at all: {alice.peer(bob.address)}")
    pings = ping(alice.host, bob.address, count, 0.1, wait_s=5)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    return f"first {first.replies[0][2]:.0f} ms, then {pings.average_ms():.1f} ms"


def must_balance(node: GuestNode) -> None:
    try:
        wait_until("balance", lambda: not unbalanced(node), 20, 0.5)
    except Failure:
        raise Failure(f"{node.name}: {unbalanced(node)}") from None
    seen = node.events()
    for name in NEVER:
        expect(seen[name] == 0, f"{node.name} counts {seen[name]} as {name}")
