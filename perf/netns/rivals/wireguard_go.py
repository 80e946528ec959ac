"""wireguard-go: WireGuard in user space (ChaCha20-Poly1305)."""

from rig.wireguard import WireGuardHost

from netns.rivals.rival import Rival


class WireGuardGo(Rival):
    name, label = "wireguard-go", "wireguard-go"
    package, programs = "wireguard-go", ("wireguard-go", "wg")

    def start(self, alice, bob) -> str:
        ends = [WireGuardHost(alice, "192.168.20.10", log_level="error"),
                WireGuardHost(bob, "192.168.20.20", log_level="error")]
        for end, other in (ends, ends[::-1]):
            end.start()
            end.add_peer(other.public_key, f"{other.address}/32", other.endpoint)
        return ends[1].address
