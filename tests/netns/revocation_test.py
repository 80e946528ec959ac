"""A revocation list is given to one host, and all others learn of it.

    ca    no ipopd, only `ipop ca`
    n1    192.168.10.11 ─┐
    …                    ├─ router ── boot (another network)
    n6    192.168.10.16 ─┤            (20 of them with IPOP_SOAK=1)
    bob   192.168.10.200 ┘
"""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor

from rig.ca import Ca, give_list, refused, trust
from rig.cases import SOAK, run_cases
from rig.conditions import expect, wait_until
from rig.node import node, start_together, trio
from rig.ping import PingStream, ping

COUNT = 20 if SOAK else 6
LIMIT_S = 5.0


def test_all_others_cut_a_revoked_host_when_one_has_its_list(world):
    boot = node(world, "boot", 1, network="ipop_bootstrap_only")
    boot.start()
    members = [node(world, f"n{i}", 10 + i, [boot.endpoint]) for i in range(1, COUNT + 1)]
    bob = node(world, "bob", 200, [boot.endpoint])
    ca = Ca(world, bob)
    for each in (*members, bob):
        ca.sign(each)
    online, away, later = members[:-2], members[-2], members[-1]
    start_together(*online, away, bob)
    with ThreadPoolExecutor(COUNT) as pool:
        lost = list(pool.map(lambda each: ping(each.host, bob.address, 3, 0.2, wait_s=4).lost,
                             [*online, away]))
    expect(not any(lost), f"pings were lost at the start: {lost}")
    away.stop()

    streams = [PingStream(each.host, bob.address, 0.05) for each in online]
    for stream in streams:
        wait_until("replies", lambda: len(stream.so_far().replies) > 3, 5)
    began = time.time()
    give_list(online[0], ca.revoke("bob"))
    given_s = time.time() - began
    wait_until("silence", lambda: all(
        stream.so_far().replies[-1][0] < time.time() - 1 for stream in streams), 15, 0.2)
    cut_s = [stream.finish().replies[-1][0] - began for stream in streams]
    expect(max(cut_s) < LIMIT_S, f"pings were answered for {max(cut_s):.2f} s")
    for each in online:
        wait_until(f"{each.name} to say why",
                   lambda: refused(each, bob.address, "is revoked"), 5)

    took_s = [learns_s(each, bob) for each in (away, later)]
    return (f"{len(online)} hosts: revoked and reloaded after {given_s * 1000:.0f} ms, the last "
            f"answer after {max(cut_s) * 1000:.0f} ms; one that was away refuses {took_s[0]:.1f} s "
            f"after its start, a new one {took_s[1]:.1f} s")


def learns_s(member, bob) -> float:
    """Seconds from its start until it refuses Bob."""
    began = time.time()
    member.start()
    stream = PingStream(member.host, bob.address, 0.2)
    wait_until(f"{member.name} to refuse bob",
               lambda: refused(member, bob.address, "is revoked"), LIMIT_S)
    took_s = time.time() - began
    stream.finish()
    expect(not ping(bob.host, member.address, 5, 0.2).replies, "a ping of bob's was answered")
    return took_s


def test_a_long_list_is_found_in_the_hash_table_when_nobody_has_it_any_more(world):
    alice, bob, boot = trio(world)
    carol = node(world, "carol", 30, [boot.endpoint])
    ca = Ca(world, alice)
    for each in (alice, bob, carol):
        ca.sign(each)
    # A list of several parts.
    with open(ca.folder / "index.txt", "a", encoding="ascii") as index:
        for i in range(150):
            index.write(f"R\t401231235959Z\t260101000000Z\t0123456789ABCDEF{i:016X}\tunknown\t"
                        f"/CN=gone{i}\n")
    shutil.copy(ca.revoke("bob"), alice.host.directory / "crl.pem")
    trust(alice, "crl.pem")
    alice.start()
    alice.daemon.wait_for_line("certificates revoked: 151", 10)
    wait_until("the hash table", lambda: alice.status()["dht"]["connected"], 10)
    time.sleep(1)  # the list has no acknowledgement that could be waited for
    alice.stop()
    began = time.time()
    carol.start()
    carol.daemon.wait_for_line("certificates revoked: 151", 15)
    took_s = time.time() - began
    kept = carol.state / "revoked.pem"
    wait_until("it to be kept", lambda: kept.exists() and kept.stat().st_size > 4000, 5)
    return f"found {took_s:.1f} s after the start"


if __name__ == "__main__":
    run_cases(globals())
