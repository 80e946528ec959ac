"""IPsec between hosts of the network, as if `tapipop` were any other link.

    alice 192.168.10.10, 10.77.10.1 ─┐
    bob   192.168.10.20, 10.77.20.1 ─┴─ router

strongSwan and IPOP have the same certificates, made by openssl.
"""

from rig.ca import OpensslCa
from rig.cases import run_cases
from rig.conditions import expect
from rig.node import start_together, trio
from rig.ping import ping
from rig.strongswan import StrongSwan
from rig.traffic import transfer

P256 = ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]


def two_hosts(world) -> tuple:
    alice, bob, _ = trio(world)
    ca = OpensslCa(world, P256)
    for each in (alice, bob):
        ca.sign(each)
    start_together(alice, bob)
    expect(ping(alice.host, bob.address, 5, 0.1, wait_s=3).lost == 0, "pings were lost")
    ends = [StrongSwan(each, ca, inner) for each, inner in ((alice, "10.77.10.1"),
                                                            (bob, "10.77.20.1"))]
    return alice, bob, ca, ends


def test_strongswan_protects_what_goes_over_tapipop(world):
    alice, bob, _, ends = two_hosts(world)
    ends[0].start(ends[1])
    ends[1].start(ends[0])
    capture = bob.host.start("tcpdump", "-i", "tapipop", "-n", "-U", "-l", name="tapipop")
    capture.wait_for_line("listening on", 5)
    outcome = ends[0].initiate()
    expect(outcome.returncode == 0, f"no security association: {outcome.stdout[-300:]}")
    pings = ping(alice.host, ends[1].inner, 20, 0.05, wait_s=3)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    transfer(alice.host, bob.host, ends[1].inner, 5)
    seen = capture.log()
    expect("UDP-encap: ESP" in seen, f"no ESP on tapipop: {seen[-300:]}")
    expect(ends[1].inner not in seen, "packets passed tapipop without IPsec")


def test_a_host_without_the_certificate_of_the_ca_gets_no_association(world):
    _, bob, _, ends = two_hosts(world)
    here = bob.host.directory
    bob.host.run("openssl", "req", "-x509", "-nodes", "-newkey", *P256, "-subj", "/CN=bob",
                 "-addext", f"subjectAltName=IP:{bob.address}", "-days", "30",
                 "-keyout", here / "own-key.pem", "-out", here / "own-cert.pem")
    ends[0].start(ends[1])
    ends[1].start(ends[0], "own-cert.pem", "own-key.pem")
    outcome = ends[0].initiate()
    expect(outcome.returncode != 0, "an association with a certificate that nobody signed")
    expect("AUTHENTICATION_FAILED" in outcome.stdout or "no trusted" in outcome.stdout,
           outcome.stdout[-300:])


if __name__ == "__main__":
    run_cases(globals())
