"""Large frames all the way: what programs and captures see of them.

    alice 192.168.10.10 ─ router ─ bob 192.168.10.20, boot (another network)
    wg    192.168.10.30 ─┘ wireguard-go, which takes no partial checksums
"""

import hashlib
import json
import sys
from pathlib import Path

from rig.cases import SOAK, run_cases
from rig.conditions import expect, wait_until
from rig.node import start_together, trio
from rig.ping import ping
from rig.traffic import IperfServer, iperf, tcp_mbit
from wireguard_interop_test import alice_and_wireguard

RIG = Path(__file__).resolve().parent / "rig"
FILE_MB = 1024 if SOAK else 200


def connected_pair(world) -> tuple:
    alice, bob, _ = trio(world)
    start_together(alice, bob)
    expect(ping(alice.host, bob.address, 5, wait_s=3).lost == 0, "pings were lost before")
    return alice, bob


class Watch:
    """Looks at all TCP and UDP packets on an interface for some seconds."""

    def __init__(self, host, interface: str, seconds: float):
        self._process = host.start(sys.executable, RIG / "watch_checksums.py", interface, seconds,
                                   name=f"watch-{interface}")
        self._process.wait_for_line("watching", 5)
        self._limit_s = seconds + 10

    def counts(self) -> dict:
        self._process.wait(self._limit_s)
        return json.loads(self._process.last_line())


def test_a_large_file_arrives_as_it_was(world):
    alice, bob = connected_pair(world)
    source = bob.host.directory / "www"
    source.mkdir()
    bob.host.run("dd", "if=/dev/urandom", f"of={source / 'file'}", "bs=1M", f"count={FILE_MB}")
    bob.host.start(sys.executable, RIG / "serve_files.py", bob.address, 8080, source,
                   name="http").wait_for_line("serving", 5)
    target = alice.host.directory / "file"
    alice.host.run("curl", "--silent", "--show-error", "--fail", "--max-time", 60, "--output",
                   target, f"http://{bob.address}:8080/file", limit_s=70)
    digests = []
    for file in (source / "file", target):
        with open(file, "rb") as opened:
            digests.append(hashlib.file_digest(opened, "sha256").hexdigest())
        file.unlink()
    expect(digests[0] == digests[1], "the file changed on the way")
    return f"{FILE_MB} MB"


def test_small_writes_come_back(world):
    alice, bob = connected_pair(world)
    bob.host.start(sys.executable, RIG / "echo.py", "serve", bob.address, 7000,
                   name="echo").wait_for_line("listening", 5)
    alice.host.run(sys.executable, RIG / "echo.py", "talk", bob.address, 7000, 1, 500, limit_s=30)


def test_captures_show_no_checksum_that_a_kernel_would_refuse(world):
    alice, bob = connected_pair(world)
    server = IperfServer(bob.host, bob.address)
    watches = {each.name: Watch(each.host, "tapipop", 4) for each in (alice, bob)}
    tcp_mbit(alice.host, server, 1, 2)
    iperf(alice.host, server, 1, "-u", "-l", 1200, "-b", "100M")
    seen = {name: watch.counts() for name, watch in watches.items()}
    for name, counts in seen.items():
        expect(not counts["wrong"], f"{name}: wrong checksums in {counts['wrong']}")
        expect(counts["super"] > 10, f"{name} saw no large frames: {counts}")
    return f"{seen['bob']['super']} large frames"


def test_a_peer_that_takes_no_partial_checksums_gets_whole_ones(world):
    alice, wg = alice_and_wireguard(world, endpoint_known=True)
    expect(ping(alice.host, wg.address, 5, wait_s=3).lost == 0, "pings were lost before")
    server = IperfServer(wg.host, wg.address)
    watch = Watch(wg.host, wg.interface, 3)
    tcp_mbit(alice.host, server, 1)
    iperf(alice.host, server, 1, "-u", "-l", 1200, "-b", "20M")
    counts = watch.counts()
    expect(not counts["wrong"], f"wrong checksums in {counts['wrong']}")
    expect(counts["right"] > 1000, f"few packets were seen: {counts}")
    fates = alice.status()["engine"]["drops"]
    expect(fates.get("inner_malformed", 0) == 0, f"malformed packets came back: {fates}")


def test_large_frames_wait_for_a_session_like_small_ones(world):
    alice, bob = connected_pair(world)
    server = IperfServer(bob.host, bob.address)
    bob.stop()
    bob.start()
    # Alice's session is unknown to the new bob: what she sends waits, and then goes on.
    wait_until("tcp goes on", lambda: iperf(alice.host, server, 1)["sum_received"]["bytes"], 20)


if __name__ == "__main__":
    run_cases(globals())
