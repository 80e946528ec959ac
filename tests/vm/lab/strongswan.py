"""strongSwan in a guest: IKE by X.509 certificates, and the kernel's own ESP."""

from lab.node import GuestNode
from rig.ca import OpensslCa
from rig.conditions import wait_until
from rig.strongswan import PLUGINS, connection_text, daemon_text

FOLDER = "/run/strongswan"
URI = f"unix://{FOLDER}/charon.vici"
HELLO_LIMIT_S = 30


class GuestStrongSwan:
    """`inner`: an address of the guest's that packets to the peer's are protected for."""

    def __init__(self, node: GuestNode, ca: OpensslCa, inner: str):
        self._node, self.inner = node, inner
        guest = node.host
        guest.script(f"mkdir -p {FOLDER}/private {FOLDER}/x509 {FOLDER}/x509ca; "
                     f"modprobe xfrm_user; ip address add {inner}/32 dev lo")
        ca.certify(node.name, node.address, guest.directory)
        for kind, file in (("private", guest.directory / "host-key.pem"),
                           ("x509", guest.directory / "host-cert.pem"),
                           ("x509ca", ca.folder / "cacert.pem"),
                           ("x509ca", ca.folder / "between-cert.pem")):
            guest.write(f"{FOLDER}/{kind}/{file.name}", file.read_text(encoding="ascii"))

    def start(self, peer: "GuestStrongSwan") -> None:
        guest = self._node.host
        guest.write("/etc/strongswan.conf", daemon_text(FOLDER, PLUGINS))
        guest.write(f"{FOLDER}/swanctl.conf", connection_text(
            (self._node.address, self.inner), (peer._node.address, peer.inner), "host-cert.pem"))
        guest.start("charon")
        wait_until(f"charon on {self._node.name}", lambda: guest.run(
            "test", "-e", f"{FOLDER}/charon.vici", check=False).returncode == 0, HELLO_LIMIT_S, 0.2)
        self.swanctl("--load-all")

    def initiate(self):
        return self.swanctl("--initiate", "--child", "host", "--timeout", 30, check=False)

    def log(self) -> str:
        return self._node.host.run("cat", f"{FOLDER}/charon.log").stdout

    def swanctl(self, command, *rest, check: bool = True):
        return self._node.host.run("env", f"SWANCTL_DIR={FOLDER}", "swanctl", command, "--uri", URI,
                                   *rest, check=check)
