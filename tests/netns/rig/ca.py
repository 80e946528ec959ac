"""Certificate authorities for nodes: `ipop ca` as the tutorial uses it, and openssl alone."""

import shutil

from rig.world import World

# For `openssl ca` in the folder of a CA, its own or one of `ipop ca`.
OPENSSL_CONFIGURATION = """[ca]
default_ca=here
[here]
dir=.
database=index.txt
crlnumber=crlnumber
new_certs_dir=.
rand_serial=yes
unique_subject=no
default_md=sha256
default_days=30
default_crl_days=30
copy_extensions=copy
policy=policy
[policy]
commonName=supplied
"""


class Ca:
    """The machine of the CA: its folder, and hosts that bring their requests."""

    def __init__(self, world: World, asker, name: str = "ca"):
        """`asker`: a node whose programs are used."""
        self.host = world.host(name)
        self.folder = self.host.directory / "ca"
        self._asker = asker
        self.ca("init", f"the tutorial's {name}")

    def ca(self, *arguments):
        return self._asker.ipop("ca", *arguments, "--dir", self.folder)

    def sign(self, node, *arguments, validity=()) -> None:
        """The host asks, the CA signs, and the host gets its certificate and the CA's.

        `validity`: two times as `openssl ca` takes them, which then signs in the CA's place."""
        desk = self._request(node)
        if validity:
            self._openssl_ca("-in", desk / "host-request.pem", "-out", desk / "host-cert.pem",
                             "-startdate", validity[0], "-enddate", validity[1])
        else:
            self.ca("sign", desk / "host-request.pem", "--address", node.address, *arguments)
        here = node.host.directory
        shutil.copy(desk / "host-cert.pem", here)
        shutil.copy(self.folder / "cacert.pem", here)
        trust(node)

    def revoke(self, who: str):
        """Returns the file with the new list."""
        self.ca("revoke", who)
        return self.folder / "crl.pem"

    def _request(self, node):
        here = node.host.directory
        if not (here / "host-key.pem").exists():
            node.ipop("ca", "request", "--name", node.name, "--address", node.address,
                      "--dir", here)
        desk = self.host.directory / node.name
        desk.mkdir()
        shutil.copy(here / "host-request.pem", desk)
        return desk

    def _openssl_ca(self, *arguments) -> None:
        (self.folder / "openssl.cnf").write_text(OPENSSL_CONFIGURATION, encoding="ascii")
        openssl(self.host, self.folder, "ca", "-batch", "-notext", "-config", "openssl.cnf",
                "-cert", "cacert.pem", "-keyfile", "cakey.pem", *arguments)


class OpensslCa:
    """A CA, one between it and the hosts, and hosts, all with keys of one kind, without `ipop`."""

    def __init__(self, world: World, newkey: list):
        self.host = world.host("ca")
        self.folder = self.host.directory / "ca"
        self.folder.mkdir()
        self._newkey = ["-nodes", "-newkey", *newkey]
        self._openssl("req", "-x509", "-days", "30", "-subj", "/O=Tutorial/CN=root",
                      "-addext", "keyUsage=keyCertSign,cRLSign", "-out", "cacert.pem",
                      *self._newkey, "-keyout", "cakey.pem")
        self._sign("between", "/O=Tutorial/CN=between", "cacert.pem", "cakey.pem",
                   "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n")

    def sign(self, node) -> None:
        self.certify(node.name, node.address, node.host.directory)
        trust(node)

    def certify(self, name: str, address: str, here) -> None:
        """Puts key, certificate with the one in between, and the root's into the folder `here`."""
        self._sign(name, f"/O=Tutorial/CN={name}", "between-cert.pem", "between-key.pem",
                   f"subjectAltName=IP:{address}\n")
        chain = [(self.folder / f"{each}-cert.pem").read_text() for each in (name, "between")]
        (here / "host-cert.pem").write_text("".join(chain))
        shutil.copy(self.folder / f"{name}-key.pem", here / "host-key.pem")
        shutil.copy(self.folder / "cacert.pem", here)

    def revoke(self, node):
        """Returns the file with the list of the CA in between."""
        (self.folder / "openssl.cnf").write_text(OPENSSL_CONFIGURATION, encoding="ascii")
        (self.folder / "index.txt").touch()
        (self.folder / "crlnumber").write_text("01\n", encoding="ascii")
        between = ["ca", "-config", "openssl.cnf", "-cert", "between-cert.pem", "-keyfile",
                   "between-key.pem"]
        self._openssl(*between, "-revoke", f"{node.name}-cert.pem")
        self._openssl(*between, "-gencrl", "-out", "crl.pem")
        return self.folder / "crl.pem"

    def _sign(self, name, subject, by, key, extensions) -> None:
        (self.folder / f"{name}.ext").write_text(extensions, encoding="ascii")
        self._openssl("req", "-subj", subject, "-out", f"{name}.csr", *self._newkey,
                      "-keyout", f"{name}-key.pem")
        self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", by, "-CAkey", key,
                      "-CAcreateserial", "-days", "30", "-extfile", f"{name}.ext",
                      "-out", f"{name}-cert.pem")

    def _openssl(self, *arguments) -> None:
        openssl(self.host, self.folder, *arguments)


def openssl(host, folder, *arguments) -> None:
    host.run("env", "-C", folder, "openssl", *arguments)


def trust(node, crl: str = "", ca: str = "cacert.pem") -> None:
    text = node.config.read_text(encoding="utf-8").split("\ntrust:")[0]
    more = f", crl: {crl}" if crl else ""
    text += f"\ntrust: {{ca: [{ca}], cert: host-cert.pem, key: host-key.pem{more}}}\n"
    node.config.write_text(text, encoding="utf-8")


def give_list(node, crl) -> None:
    """As the tutorial does it: the file to one host, its name into the configuration, a reload."""
    shutil.copy(crl, node.host.directory / "crl.pem")
    trust(node, "crl.pem")
    node.ipop("reload")


def refused(node, address: str, words: str) -> bool:
    """Whether the status says of the peer that it is refused, and why."""
    peer = node.peer(address)
    return bool(peer) and peer["state"] == "refused" and words in peer["why"]
