"""The kernel's WireGuard, on the kernel's driver, as a static peer of a daemon with a card of its
own.

    alice ipopd 192.168.10.10 (10.77.0.1, DPDK) ─ cable ─ bob wg0 192.168.10.30 (10.77.0.2, kernel)
"""

from lab.card import VIRTIO, Card
from lab.guest import Guest
from lab.machines import CARD_ADDRESS, Lab
from lab.node import PORT, GuestNode
from lab.two_nodes import must_balance, wire_section
from rig.cases import run_cases
from rig.conditions import expect
from rig.ping import ping
from rig.traffic import IperfServer, tcp_mbit

WG_ADDRESS = "192.168.10.30"
WG_PORT = 51820


def kernel_peer(guest: Guest) -> str:
    """A WireGuard interface without peers; returns its public key."""
    guest.take_address(VIRTIO)
    return guest.script(f"""
        modprobe wireguard
        wg genkey > /run/private
        ip link add wg0 type wireguard
        wg set wg0 listen-port {WG_PORT} private-key /run/private
        ip address add {WG_ADDRESS}/24 dev wg0
        ip link set wg0 up
        wg pubkey < /run/private""").stdout.strip()


def peers_section(key: str, endpoint: str) -> str:
    return f"""
overlay:
  listen: ["0.0.0.0:{PORT}"]
  bootstrap: ["{endpoint}"]
  peers:
    - {{name: bob, public_key: {key}, endpoint: "{endpoint}", protocol: wireguard,
       allowed_ips: [{WG_ADDRESS}/32]}}
"""


def meets_the_kernel(lab: Lab, card: Card) -> str:
    alice_guest, bob = lab.pair(card, VIRTIO)
    key = kernel_peer(bob)
    alice_guest.run("bind_card", "vfio-pci", CARD_ADDRESS)
    alice = GuestNode(alice_guest, 10)
    alice.configure(peers_section(key, f"{bob.address}:{WG_PORT}") +
                    wire_section(alice_guest.address))
    alice.start()
    bob.run("wg", "set", "wg0", "peer", alice.status()["public_key"], "allowed-ips",
            f"{alice.address}/32")
    first = ping(alice_guest, WG_ADDRESS, 1, wait_s=20)
    expect(first.lost == 0, f"no reply at all: {alice.status()['peers']}")
    for host, address in ((alice_guest, WG_ADDRESS), (bob, alice.address)):
        pings = ping(host, address, 20, 0.1, wait_s=5)
        expect(pings.lost == 0, f"{host.name} lost pings number {pings.lost_numbers()}")
    server = IperfServer(bob, WG_ADDRESS)
    forth = tcp_mbit(alice_guest, server, 2)
    back = tcp_mbit(alice_guest, server, 2, 1, "-R")
    peer = alice.peer(WG_ADDRESS)
    expect(peer["cipher"] == "chacha20-poly1305", f"cipher is {peer['cipher']}")
    must_balance(alice)
    alice.stop()
    return f"first {first.replies[0][2]:.0f} ms; {forth:.0f} and back {back:.0f} Mbit/s"


def test_the_kernels_wireguard_is_a_static_peer_of_a_virtio_card(lab):
    return meets_the_kernel(lab, VIRTIO)


if __name__ == "__main__":
    run_cases(globals(), Lab)
