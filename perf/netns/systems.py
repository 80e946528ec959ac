"""What is compared: the bare cable, tapipop in its variants, and every rival that is installed.

A system is started on two fresh hosts for each of its measurements and ends with them, so that
nothing else runs while one is measured.
"""

from rig.conditions import Failure, wait_until
from rig.node import PORT, Node, start_together
from rig.ping import ping
from rig.world import Host

READY_LIMIT_S = 40


class System:
    name = ""      # on the command line and in JSON
    label = ""     # for people
    measures = ()  # names; empty = all

    def start(self, alice: Host, bob: Host) -> str:
        """Joins the two, who are joined by a cable; returns bob's address to measure to."""
        raise NotImplementedError


class Bare(System):
    name, label = "bare", "bare veth"

    def start(self, alice: Host, bob: Host) -> str:
        return bob.address


class Tapipop(System):
    """Each the other's way into the hash table, as two machines of one network are."""

    def __init__(self, name: str, label: str, *, cipher="aes-256-gcm", poll="adaptive",
                 inner6=False, outer6=False, measures=()):
        self.name, self.label, self.measures = name, label, measures
        self._engine = f"{{cipher: {cipher}, poll: {poll}}}"
        self._inner6, self._outer6 = inner6, outer6

    def start(self, alice: Host, bob: Host) -> str:
        ends = ((alice, 10, bob), (bob, 20, alice))
        if self._outer6:
            for host, octet, _ in ends:
                host.run("ip", "address", "add", f"fd00:9::{octet}/64", "dev", "eth0", "nodad")
        nodes = [Node(alice), Node(bob)]
        for node, (host, octet, other) in zip(nodes, ends):
            way_in = f"[fd00:9::{30 - octet}]" if self._outer6 else other.address
            node.init(octet)  # for its key
            node.configure(
                f'network: {{name: ipop_bench, address: 192.168.10.{octet}/24,'
                f' address6: "fd00:10::{octet}/64"}}\n'
                f'overlay: {{listen: ["{"[::]" if self._outer6 else "0.0.0.0"}:{PORT}"],'
                f' bootstrap: ["{way_in}:{PORT}"]}}\n'
                f'engine: {self._engine}\n', f"192.168.10.{octet}")
        start_together(*nodes)
        return "fd00:10::20" if self._inner6 else nodes[1].address


OURS = (
    Tapipop("tapipop", "tapipop, AES-256-GCM"),
    Tapipop("tapipop-chacha", "tapipop, ChaCha20-Poly1305", cipher="chacha20-poly1305"),
    Tapipop("tapipop-inner6", "tapipop, IPv6 inside", inner6=True),
    Tapipop("tapipop-outer6", "tapipop, IPv6 outside", outer6=True),
    Tapipop("tapipop-busy", "tapipop, poll: busy", poll="busy", measures=("ping",)),
)


def await_pings(system: System, alice: Host, address: str) -> None:
    """Waits until it carries packets; large ones too."""
    def answers(size: int) -> bool:
        try:
            return bool(ping(alice, address, 2, 0.2, size=size).replies)
        except Failure:  # no interface yet
            return False

    for size in (56, 1172):
        wait_until(f"pings of {size} bytes through {system.name}", lambda: answers(size),
                   READY_LIMIT_S)
