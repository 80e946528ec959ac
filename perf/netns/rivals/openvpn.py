"""OpenVPN 2.6 in user space: point to point, TLS with each other's fingerprint (AES-256-GCM)."""

from netns.rivals.rival import Rival


class OpenVpn(Rival):
    name, label = "openvpn", "OpenVPN"
    package, programs = "openvpn", ("openvpn", "openssl")

    def start(self, alice, bob) -> str:
        addresses = {alice: "192.168.70.10", bob: "192.168.70.20"}
        fingerprints = {host: make_certificate(host) for host in addresses}
        roles = {alice: "--tls-client", bob: "--tls-server"}
        for host, other in ((alice, bob), (bob, alice)):
            host.start("openvpn", "--dev", "ovpn", "--dev-type", "tun", "--disable-dco",
                       "--proto", "udp", "--port", 1194, "--remote", other.address,
                       "--ifconfig", addresses[host], addresses[other], roles[host],
                       *(["--dh", "none"] if host is bob else []),
                       "--cert", host.directory / "own.crt", "--key", host.directory / "own.key",
                       "--peer-fingerprint", fingerprints[other], "--verb", 1)
        return addresses[bob]


def make_certificate(host) -> str:
    """A self-signed one; returns its SHA-256 fingerprint."""
    certificate = host.directory / "own.crt"
    host.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-keyout", host.directory / "own.key", "-out", certificate,
             "-subj", f"/CN={host.name}", "-days", 1)
    text = host.run("openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256")
    return text.stdout.strip().partition("=")[2]
