"""strongSwan on a host: IKE and ESP in user space (its plugin kernel-libipsec), by X.509
certificates. It knows nothing of IPOP but an address."""

import shutil

from rig.ca import OpensslCa
from rig.conditions import wait_until
from rig.node import Node

CHARON = "/usr/lib/ipsec/charon"
PLUGINS = ("random nonce openssl kdf hmac gcm pem pkcs1 pkcs8 x509 pubkey constraints revocation "
           "kernel-libipsec kernel-netlink socket-default vici")


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
            f"charon {{\n load = {PLUGINS}\n plugins {{ vici {{ socket = {self._uri} }} }}\n"
            f" filelog {{ log {{ path = {self._folder}/charon.log\n flush_line = yes }} }}\n}}\n",
            encoding="ascii")
        here = self._node.host.directory
        for kind, source, name in (("private", here, key), ("x509", here, certificate),
                                   ("x509ca", self._ca.folder, "cacert.pem"),
                                   ("x509ca", self._ca.folder, "between-cert.pem")):
            (self._folder / kind).mkdir(exist_ok=True)
            shutil.copy(source / name, self._folder / kind)
        (self._folder / "swanctl.conf").write_text(
            "connections { peer {\n"
            f" local_addrs = {self._node.address}\n remote_addrs = {peer._node.address}\n"
            f" local {{ auth = pubkey\n certs = {certificate}\n"
            f"  id = {self._node.address} }}\n"
            f" remote {{ auth = pubkey\n id = {peer._node.address} }}\n"
            " children { host {\n"
            f"  local_ts = {self.inner}/32\n  remote_ts = {peer.inner}/32 }} }}\n}} }}\n",
            encoding="ascii")
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
