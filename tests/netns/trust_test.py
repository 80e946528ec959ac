"""Membership by certificates, as the tutorial does it.

    ca    no ipopd, only `ipop ca`; files are carried between it and the hosts
    alice 192.168.10.10 (10.9.2.2) ─┐
    bob   192.168.10.20 (10.9.3.2) ─┼─ router
    boot  another network (10.9.1.2) ┘
"""

import shutil

from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.node import start_together, trio
from rig.ping import ping


class Ca:
    """The machine of the CA: its folder, and hosts that bring their requests."""

    def __init__(self, world, name="ca"):
        self.host = world.host(name)
        self.folder = self.host.directory / "ca"

    def ca(self, node, *arguments):
        return node.ipop("ca", *arguments, "--dir", self.folder)

    def sign(self, node, *arguments) -> None:
        """The host asks, the CA signs, and the host gets its certificate and the CA's."""
        here = node.host.directory
        node.ipop("ca", "request", "--name", node.name, "--address", node.address, "--dir", here)
        desk = self.host.directory / node.name
        desk.mkdir()
        shutil.copy(here / "host-request.pem", desk)
        self.ca(node, "sign", desk / "host-request.pem", "--address", node.address, *arguments)
        shutil.copy(desk / "host-cert.pem", here)
        shutil.copy(self.folder / "cacert.pem", here)
        trust(node)


def trust(node, more="") -> None:
    text = node.config.read_text(encoding="utf-8").split("\ntrust:")[0]
    text += ("\ntrust: {ca: [cacert.pem], cert: host-cert.pem, key: host-key.pem" + more + "}\n")
    node.config.write_text(text, encoding="utf-8")


def refused(node, address, words) -> bool:
    peer = node.peer(address)
    return peer and peer["state"] == "refused" and words in peer["why"]


def test_hosts_that_the_ca_has_signed_reach_each_other(world):
    alice, bob, _ = trio(world)
    ca = Ca(world)
    ca.ca(alice, "init", "the tutorial's CA")
    for node in (alice, bob):
        ca.sign(node)
    start_together(alice, bob)
    pings = ping(alice.host, bob.address, 20, 0.1, wait_s=3)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    first_s = pings.first_reply_at - max(alice.up_at, bob.up_at)
    return f"first reply after {first_s * 1000:.0f} ms"


def test_a_host_without_a_certificate_is_refused_and_both_say_why(world):
    alice, bob, _ = trio(world)
    ca = Ca(world)
    ca.ca(alice, "init", "the tutorial's CA")
    ca.sign(alice)
    start_together(alice, bob)
    expect(not ping(alice.host, bob.address, 10, 0.3).replies, "a ping was answered")
    expect(not ping(bob.host, alice.address, 10, 0.3).replies, "a ping was answered")
    wait_until("alice to say why", lambda: refused(alice, bob.address, "no certificate"), 10)
    wait_until("bob to say why", lambda: refused(bob, alice.address, "no certificate"), 10)


def test_a_revoked_host_is_cut_off_by_a_reload_of_another(world):
    alice, bob, _ = trio(world)
    ca = Ca(world)
    ca.ca(alice, "init", "the tutorial's CA")
    for node in (alice, bob):
        ca.sign(node)
    start_together(alice, bob)
    expect(ping(alice.host, bob.address, 5, wait_s=3).lost == 0, "pings were lost")
    ca.ca(alice, "revoke", "bob")
    shutil.copy(ca.folder / "crl.pem", alice.host.directory)
    trust(alice, ", crl: crl.pem")
    alice.ipop("reload")
    wait_until("alice to refuse bob", lambda: refused(alice, bob.address, "is revoked"), 10)
    expect(not ping(bob.host, alice.address, 10, 0.3).replies, "a ping was answered")
    wait_until("bob to say why", lambda: refused(bob, alice.address, "revoked"), 10)


if __name__ == "__main__":
    run_cases(globals())
