"""Membership by certificates, as the tutorial does it.

    ca    no ipopd, only `ipop ca` or openssl; files are carried between it and the hosts
    alice 192.168.10.10 (10.9.2.2) ─┐
    bob   192.168.10.20 (10.9.3.2) ─┼─ router
    boot  another network (10.9.1.2) ┘
"""

import shutil
from concurrent.futures import ThreadPoolExecutor

from rig.ca import Ca, OpensslCa, give_list, refused, trust
from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.node import node, start_together, trio
from rig.ping import ping


def test_hosts_that_the_ca_has_signed_reach_each_other(world):
    alice, bob, _ = trio(world)
    ca = Ca(world, alice)
    for each in (alice, bob):
        ca.sign(each)
    start_together(alice, bob)
    pings = ping(alice.host, bob.address, 20, 0.1, wait_s=3)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    first_s = pings.first_reply_at - max(alice.up_at, bob.up_at)
    return f"first reply after {first_s * 1000:.0f} ms"


# What is wrong with a host, in what alice says of it and in what it says of alice.
REASONS = {
    "none": ("no certificate", "no certificate: set trust.cert"),
    "other": ("not signed by a CA that we trust", "another CA"),
    "expired": ("has expired on", "an expired certificate"),
    "early": ("is valid only from", "not valid yet"),
    "revoked": ("is revoked", "a revoked certificate"),
}


def test_nothing_passes_without_a_good_certificate_and_both_ends_say_why(world):
    boot = node(world, "boot", 1, network="ipop_bootstrap_only")
    boot.start()
    alice = node(world, "alice", 10, [boot.endpoint])
    good = node(world, "good", 20, [boot.endpoint])
    bad = {name: node(world, name, 30 + i, [boot.endpoint]) for i, name in enumerate(REASONS)}
    ca = Ca(world, alice)
    for each in (alice, good, bad["revoked"]):
        ca.sign(each)
    Ca(world, alice, "other-ca").sign(bad["other"])
    ca.sign(bad["expired"], validity=("20200101000000Z", "20200201000000Z"))
    ca.sign(bad["early"], validity=("20400101000000Z", "20490101000000Z"))
    # As somebody does whose own CA is not at fault: it trusts alice, and says what she says.
    shutil.copy(alice.host.directory / "cacert.pem", bad["other"].host.directory)
    shutil.copy(ca.revoke("revoked"), alice.host.directory / "crl.pem")
    trust(alice, "crl.pem")
    start_together(alice, good, *bad.values())

    def answered(pair):
        return len(ping(pair[0].host, pair[1].address, 8, 0.4).replies)

    pairs = [pair for each in bad.values() for pair in ((alice, each), (each, alice))]
    with ThreadPoolExecutor(len(pairs)) as pool:
        for (source, target), count in zip(pairs, pool.map(answered, pairs)):
            expect(count == 0, f"{target.name} answered {count} pings of {source.name}")
    for name, (at_alice, at_peer) in REASONS.items():
        wait_until(f"alice to say why of {name}: {at_alice}",
                   lambda: refused(alice, bad[name].address, at_alice), 10)
        wait_until(f"{name} to say why: {at_peer}",
                   lambda: refused(bad[name], alice.address, at_peer), 10)
        passed = alice.peer(bad[name].address)
        expect(passed["rx_packets"] == 0, f"{name}: {passed['rx_packets']} packets came in")
    expect(ping(alice.host, good.address, 5, wait_s=3).lost == 0, "the good one is refused, too")


def test_ipopd_does_not_start_with_a_certificate_that_is_not_for_it(world):
    """With another program in its place, others would refuse it: tests/sim/trust_test.cpp."""
    alice, bob, _ = trio(world)
    ca = Ca(world, alice)
    for each in (alice, bob):
        ca.sign(each)
    stolen = alice.host.directory / "host-cert.pem"
    shutil.copy(bob.host.directory / "host-cert.pem", stolen)
    key = alice.host.directory / "host-key.pem"
    for complaint, files in (("is not the key of trust.cert", ()),
                             ("names 192.168.10.20, and not 192.168.10.10", ("host-key.pem",))):
        for name in files:
            shutil.copy(bob.host.directory / name, key)
        daemon = alice.launch()
        expect(daemon.wait(10) == 2, "ipopd started")
        expect(complaint in daemon.log(), f"it says: {daemon.last_line()}")


def test_a_revoked_host_is_cut_off_by_a_reload_of_another(world):
    alice, bob, _ = trio(world)
    ca = Ca(world, alice)
    for each in (alice, bob):
        ca.sign(each)
    start_together(alice, bob)
    expect(ping(alice.host, bob.address, 5, wait_s=3).lost == 0, "pings were lost")
    give_list(alice, ca.revoke("bob"))
    expect_cut(alice, bob)


def expect_cut(alice, bob) -> None:
    wait_until("alice to refuse bob", lambda: refused(alice, bob.address, "is revoked"), 10)
    expect(not ping(bob.host, alice.address, 10, 0.3).replies, "a ping was answered")
    wait_until("bob to say why", lambda: refused(bob, alice.address, "revoked"), 10)


def made_by_openssl_alone(world, newkey) -> None:
    alice, bob, _ = trio(world)
    ca = OpensslCa(world, newkey)
    for each in (alice, bob):
        ca.sign(each)
    start_together(alice, bob)
    pings = ping(alice.host, bob.address, 10, 0.1, wait_s=3)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    give_list(alice, ca.revoke(bob))
    expect_cut(alice, bob)


def test_rsa_certificates_and_lists_of_openssl_with_a_ca_between(world):
    made_by_openssl_alone(world, ["rsa:2048"])


def test_p256_certificates_and_lists_of_openssl_with_a_ca_between(world):
    made_by_openssl_alone(world, ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"])


def test_ed25519_certificates_and_lists_of_openssl_with_a_ca_between(world):
    made_by_openssl_alone(world, ["ed25519"])


if __name__ == "__main__":
    run_cases(globals())
