"""IPsec by the guests' kernels over `tapipop`, as if it were any other link, with strongSwan and
certificates of openssl's.

    alice 192.168.10.10, 10.88.10.1 (10.77.0.1, DPDK) ─ cable ─ bob 192.168.10.20, 10.88.20.1
"""

import subprocess
from pathlib import Path

from lab.card import VIRTIO
from lab.machines import Lab
from lab.strongswan import GuestStrongSwan
from lab.two_nodes import dpdk_nodes, must_balance, must_ping, start_all
from rig.ca import OpensslCa
from rig.cases import run_cases
from rig.conditions import expect
from rig.ping import ping
from rig.traffic import IperfServer, tcp_mbit

P256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]


class Desk:
    """This machine, where the CA is; with the face of a world and of its one host."""

    def __init__(self, directory: Path):
        self.directory = directory

    def host(self, _name: str) -> "Desk":
        return self

    def run(self, *command) -> None:
        subprocess.run([str(word) for word in command], check=True, capture_output=True)


def kernel_associations(node) -> str:
    return node.host.run("ip", "-s", "xfrm", "state").stdout


def test_the_kernels_esp_protects_what_goes_over_tapipop(lab):
    alice, bob = dpdk_nodes(lab, VIRTIO)
    start_all(alice, bob)
    must_ping(alice, bob)
    ca = OpensslCa(Desk(lab.directory), P256)
    ends = [GuestStrongSwan(alice, ca, "10.88.10.1"), GuestStrongSwan(bob, ca, "10.88.20.1")]
    ends[0].start(ends[1])
    ends[1].start(ends[0])
    outcome = ends[0].initiate()
    expect(outcome.returncode == 0, f"no security association: {outcome.stdout[-200:]} "
                                    f"{ends[1].log()[-600:]}")
    expect("proto esp" in kernel_associations(bob), "bob's kernel has no association")
    # What leaves: the kernel shows what it has opened as if it had come by the same interface.
    capture = alice.host.start("tcpdump", "-Z", "root", "-i", "tapipop", "-Q", "out", "-n", "-l",
                               "-c", "200")
    capture.wait_for_line("listening on", 20)
    pings = ping(alice.host, ends[1].inner, 20, 0.1, wait_s=5)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    mbit = tcp_mbit(alice.host, IperfServer(bob.host, ends[1].inner), 2)
    seen = capture.log()
    expect(f"{alice.address} > {bob.address}: ESP(" in seen, f"no ESP on tapipop: {seen[-300:]}")
    expect(ends[0].inner not in seen, "packets passed tapipop without IPsec")
    for node in (alice, bob):
        must_balance(node)
        node.stop()
    return f"pings {pings.average_ms():.1f} ms, TCP {mbit:.0f} Mbit/s"


if __name__ == "__main__":
    run_cases(globals(), Lab)
