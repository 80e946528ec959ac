"""strongSwan on a host: IKE and ESP by X.509 certificates. It knows nothing of IPOP but an address.

In a namespace ESP is in user space, too (the plugin kernel-libipsec)."""

import shutil

from rig.ca import OpensslCa
from rig.conditions import wait_until
from rig.node import Node

CHARON = "/usr/lib/ipsec/charon"
PLUGINS = ["random", "nonce", "openssl", "kdf", "hmac", "gcm", "pem", "pkcs1", "pkcs8", "x509",
           "pubkey", "constraints", "revocation", "kernel-netlink", "socket-default", "vici"]
IN_USER_SPACE = "kernel-libipsec"


def daemon_text(folder, plugins: list) -> str:
    """strongswan.conf; charon answers at `folder`/charon.vici."""
    return (f"charon {{\n load = {' '.join(plugins)}\n"
            f" plugins {{ vici {{ socket = unix://{folder}/charon.vici }} }}\n"
            f" filelog {{ log {{ path = {folder}/charon.log\n flush_line = yes }} }}\n}}\n")


def connection_text(local: tuple, remote: tuple, certificate: str) -> str:
    """swanctl.conf; each end is its address, and the one that packets are protected for."""
    return ("connections { peer {\n"
            f" local_addrs = {local[0]}\n remote_addrs = {remote[0]}\n"
            f" local {{ auth = pubkey\n certs = {certificate}\n  id = {local[0]} }}\n"
            f" remote {{ auth = pubkey\n id = {remote[0]} }}\n"
            " children { host {\n"
            f"  local_ts = {local[1]}/32\n  remote_ts = {remote[1]}/32 }} }}\n}} }}\n")


class StrongSwan:
    """`inner`: an address of the host's that packets to the peer's are protected for."""

    def __init__(self, node: Node, ca: OpensslCa, inner: str):
        self._node, self._ca, self.inner = node, ca, inner
        self._folder = node.host.directory / "strongswan"
        self._folder.mkdir()
        self._uri = f"unix://{self._folder}/charon.vici"
        node.host.run("ip", "address", "add", f"{inner}/32", "dev", "lo")

    def start(self, peer: "StrongSwan", certificate: str = "host-cert.pem",
              key: str = "host-key.pem") -> None:
        """Its configuration for this peer, by certificate and key in the host's directory."""
        (self._folder / "strongswan.conf").write_text(
            daemon_text(self._folder, [IN_USER_SPACE, *PLUGINS]), encoding="ascii")
        here = self._node.host.directory
        for kind, source, name in (("private", here, key), ("x509", here, certificate),
                                   ("x509ca", self._ca.folder, "cacert.pem"),
                                   ("x509ca", self._ca.folder, "between-cert.pem")):
            (self._folder / kind).mkdir(exist_ok=True)
            shutil.copy(source / name, self._folder / kind)
        (self._folder / "swanctl.conf").write_text(
            connection_text((self._node.address, self.inner), (peer._node.address, peer.inner),
                            certificate), encoding="ascii")
        # Two on one machine have one place for their process ids; the namespace has mounts of its
        # own.
        self._node.host.start("env", f"STRONGSWAN_CONF={self._folder}/strongswan.conf", "sh", "-c",
                              f"mount -t tmpfs tmpfs /run && exec {CHARON}", name="charon")
        wait_until(f"charon on {self._node.name}", (self._folder / "charon.vici").exists, 10)
        self.swanctl("--load-all")

    def initiate(self):
        return self.swanctl("--initiate", "--child", "host", "--timeout", 10, check=False)

    def swanctl(self, *arguments, check: bool = True):
        command, *rest = arguments
        return self._node.host.run("env", f"SWANCTL_DIR={self._folder}", "swanctl", command,
                                   "--uri", self._uri, *rest, check=check, limit_s=30)
