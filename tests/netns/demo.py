"""`./dev demo`: the tutorial's story on this one machine, in network namespaces.

    boot  (10.9.1.2) ─┐
    alice (10.9.2.2) ─┼─ router
    bob   (10.9.3.2) ─┘

Ends by itself within seconds, with status 0 if all went well, and leaves nothing behind.
"""

import os
import signal
import subprocess
import sys
import time

from rig.conditions import Failure, expect
from rig.node import NETWORK, PORT, Node
from rig.traffic import digest
from rig.world import World, unwind_on_signals

# What the pings carry, so that one can look for it on the wire.
PATTERN = b"IPOP-IN-CLEAR!"
TRANSFER_MB = 20


class Stage:
    """Shows commands as a user of each machine types them, and what they print."""

    def __init__(self, world: World):
        self.world = world

    def say(self, text: str) -> None:
        print(f"\n\033[1m{text}\033[0m" if sys.stdout.isatty() else f"\n{text}", flush=True)

    def type(self, node: Node, shown: str, *command) -> None:
        print(f"{node.name}# {shown}", flush=True)
        words = ["ip", "netns", "exec", node.host.namespace, *map(str, command or shown.split())]
        with subprocess.Popen(words, env=node.env, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            for line in process.stdout:
                print(f"    {line.rstrip()}", flush=True)
        expect(process.returncode == 0, f'"{shown}" ended with {process.returncode}')

    def init(self, node: Node, network: str, octet: int, bootstrap: str = "") -> None:
        options = ["--bootstrap", bootstrap] if bootstrap else []
        self.type(node, " ".join(["ipop init", network, str(octet), *options]),
                  node.build / "ipop", "init", network, octet, *options, "--config", node.config,
                  "--state", node.state, "--runtime", node.runtime, "--hostname", node.name,
                  "--listen", f"0.0.0.0:{PORT}")
        node.address = f"192.168.10.{octet}"

    def up(self, node: Node) -> None:
        self.type(node, "ipop up", node.build / "ipop", "up", "--config", node.config)


class Capture:
    """tcpdump of one interface, counted afterwards."""

    def __init__(self, world: World, node_or_router, interface: str):
        self.file = world.directory / f"{interface}.pcap"
        self._process = node_or_router.start(
            "tcpdump", "-i", interface, "-U", "-n", "-s", "0", "-w", self.file,
            name=f"tcpdump-{interface}")
        self._process.wait_for_line("listening on", 5)

    def finish(self) -> tuple:
        """Packets captured, and how often the pattern stands in them."""
        time.sleep(0.2)  # What was sent last is on its way to the capture file.
        self._process.signal(signal.SIGINT)
        self._process.wait(5)
        line = next((line for line in self._process.log().splitlines()
                     if "packets captured" in line or "packet captured" in line), "0")
        return int(line.split()[0]), self.file.read_bytes().count(PATTERN)


def transfer(stage: Stage, alice: Node, bob: Node) -> None:
    source, copy = alice.host.directory / "photo.raw", bob.host.directory / "photo.raw"
    source.write_bytes(os.urandom(TRANSFER_MB << 20))
    print("bob# socat -u TCP-LISTEN:5300 OPEN:photo.raw,creat", flush=True)
    server = bob.host.start("socat", "-u", "TCP-LISTEN:5300", f"OPEN:{copy},creat")
    while ":5300 " not in bob.host.run("ss", "-tln").stdout:
        server.must_run()
    started = time.monotonic()
    stage.type(alice, f"socat -u FILE:photo.raw TCP:{bob.address}:5300",
               "socat", "-u", f"FILE:{source}", f"TCP:{bob.address}:5300")
    server.wait(20)
    took_s = time.monotonic() - started
    sums = [digest(file) for file in (source, copy)]
    print(f"    {TRANSFER_MB} MiB in {took_s:.2f} s, sha256 {sums[0][:16]}… sent, "
          f"{sums[1][:16]}… received", flush=True)
    expect(sums[0] == sums[1], "what arrived is not what was sent")


def play(world: World) -> None:
    stage = Stage(world)
    stage.say("Three machines around a router. Each has directories of its own; the options that\n"
              "name them (--config, --state, --runtime) are left out of the commands below.")
    boot, alice, bob = (Node(world.host(name)) for name in ("boot", "alice", "bob"))
    print(f"    boot {boot.host.address}, alice {alice.host.address}, bob {bob.host.address}")

    stage.say("A machine that the others know by its address. It belongs to another network.")
    stage.init(boot, "somebody_elses_network", 1)
    stage.up(boot)

    stage.say("Alice and Bob choose the same network name, and an address each.")
    stage.init(alice, NETWORK, 10, boot.endpoint)
    stage.init(bob, NETWORK, 20, boot.endpoint)
    stage.up(alice)
    stage.up(bob)
    stage.type(alice, "ip address show tapipop")

    stage.say("They ping each other, while the wire and the interface are watched.")
    wire = Capture(world, world.router(), world.link_of(alice.host))
    inside = Capture(world, alice.host, "tapipop")
    pattern = PATTERN.hex()
    stage.type(alice, f"ping -n -c 5 -p {pattern} {bob.address}")
    stage.type(bob, f"ping -n -c 5 -i 0.2 -p {pattern} {alice.address}")
    seen = {"on tapipop": inside.finish(), "on the wire": wire.finish()}
    for place, (packets, matches) in seen.items():
        print(f"    {place}: {packets} packets, the pings' pattern found {matches} times")
    expect(seen["on the wire"][0] > 0, "the capture of the wire saw nothing")
    expect(seen["on tapipop"][1] > 0, "the pattern is not found where it must be")
    expect(seen["on the wire"][1] == 0, "the wire shows what the pings carry")

    stage.say("A file by TCP.")
    transfer(stage, alice, bob)

    stage.say("Who is where.")
    stage.type(alice, "ipop status", alice.build / "ipop", "status")
    stage.type(alice, "ipop down", alice.build / "ipop", "down")
    stage.type(bob, "ipop down", bob.build / "ipop", "down")
    expect(not alice.has_interface(), "tapipop is still there")


def main() -> int:
    unwind_on_signals()
    started = time.monotonic()
    try:
        with World() as world, world.logs_shown_on_failure():
            play(world)
    except (Failure, RuntimeError) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        return 1
    print(f"\nAll of it took {time.monotonic() - started:.1f} s; the machines are gone again.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
