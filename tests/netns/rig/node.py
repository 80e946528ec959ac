"""A host that runs ipopd: made by `ipop init`, started, asked and stopped as a user does it."""

import json
import os
import time
from pathlib import Path

from rig.conditions import Failure, expect, wait_until
from rig.world import Host, World

ROOT = Path(__file__).resolve().parents[3]
# Another build tree's programs, such as the sanitizers', by IPOP_BUILD.
BUILD = ROOT / os.environ.get("IPOP_BUILD", "build")
# Sanitizers want their shadow memory where address randomisation may put something else.
LAUNCHER = ["setarch", "--addr-no-randomize"] if "IPOP_BUILD" in os.environ else []
NETWORK = "ipop_tutorial_05_21_2013_your_name"
PORT = 4545
START_LIMIT_S = 10


class Node:
    def __init__(self, host: Host, program: str = "ipopd"):
        self.host = host
        self.build = BUILD
        self.program = program
        self.config = host.directory / "ipop.yaml"
        self.state = host.directory / "state"
        self.runtime = host.directory / "run"
        self.env = dict(os.environ, IPOP_RUNTIME=str(self.runtime))
        self.address = ""
        self.daemon = None
        self.up_at = 0.0  # wall clock: when tapipop was there with its address

    @property
    def name(self) -> str:
        return self.host.name

    @property
    def endpoint(self) -> str:
        return f"{self.host.address}:{PORT}"

    def init(self, octet, bootstrap=(), network=NETWORK, secret=None) -> None:
        """Writes configuration and keys with `ipop init`."""
        options = [word for where in bootstrap for word in ("--bootstrap", where)]
        if secret is not None:
            options += ["--secret", secret]
        # One family: these hosts have no IPv6 address.
        self.ipop("init", network, octet, "--config", self.config, "--state", self.state,
                  "--runtime", self.runtime, "--hostname", self.name,
                  "--listen", f"0.0.0.0:{PORT}", *options)
        self.address = octet if "." in str(octet) else f"192.168.10.{octet}"

    def configure(self, text: str, address: str) -> None:
        """A configuration of one's own, but for the paths."""
        paths = f"paths: {{state: {self.state}, runtime: {self.runtime}}}\n"
        self.config.write_text(text + paths, encoding="utf-8")
        self.address = address

    def ipop(self, *arguments, check=True, limit_s=30):
        return self.host.run(self.build / "ipop", *arguments, env=self.env, check=check,
                             limit_s=limit_s)

    def launch(self):
        """Starts ipopd without waiting for anything."""
        self.daemon = self.host.start(*LAUNCHER, self.build / self.program,
                                      "--config", self.config, env=self.env)
        return self.daemon

    def await_up(self, limit_s: float = START_LIMIT_S) -> None:
        """Waits for tapipop to be up with its address."""
        def up():
            self.daemon.must_run()
            return self.has_interface()
        wait_until(f"tapipop up on {self.name}", up, limit_s, 0.01)
        self.up_at = time.time()

    def await_answer(self, limit_s: float = START_LIMIT_S) -> None:
        """Waits for the control socket, which is there when all parts run."""
        def answers():
            self.daemon.must_run()
            return (self.runtime / "control.sock").exists()
        wait_until(f"ipopd on {self.name} to answer", answers, limit_s, 0.01)

    def start(self) -> None:
        self.launch()
        self.await_up()
        self.await_answer()

    def stop(self) -> None:
        status = self.daemon.stop()
        expect(status == 0, f"ipopd on {self.name} ended with {status}: {self.daemon.last_line()}")

    def has_interface(self) -> bool:
        """Whether tapipop is up with the node's address."""
        outcome = self.host.run("ip", "-j", "address", "show", "tapipop", check=False)
        if outcome.returncode != 0:
            return False
        links = json.loads(outcome.stdout or "[]")
        return any("UP" in link.get("flags", ()) and
                   any(entry.get("local") == self.address for entry in link.get("addr_info", ()))
                   for link in links)

    def status(self) -> dict:
        outcome = self.ipop("status", "--json")
        try:
            return json.loads(outcome.stdout)
        except ValueError:
            raise Failure(f"ipop status --json printed no JSON: {outcome.stdout[:200]}") from None

    def peer(self, address: str) -> dict:
        """What the status says of the peer with this address, rather of one that is connected than
        of one that only claims it; empty if nothing."""
        peers = self.status().get("peers", [])
        for peer in sorted(peers, key=lambda each: each["state"] != "connected"):
            if any(entry.split("/")[0] == address for entry in peer.get("addresses", [])):
                return peer
        return {}


def node(world: World, name: str, octet, bootstrap=(), **options) -> Node:
    """A new host with an initialised node, not yet started."""
    made = Node(world.host(name), options.pop("program", "ipopd"))
    made.init(octet, bootstrap, **options)
    return made


def trio(world: World) -> tuple:
    """Alice, Bob and a running bootstrap node that belongs to a network of its own."""
    boot = node(world, "boot", 1, network="ipop_bootstrap_only")
    boot.start()
    alice = node(world, "alice", 10, [boot.endpoint])
    bob = node(world, "bob", 20, [boot.endpoint])
    return alice, bob, boot


def start_together(*nodes) -> None:
    for each in nodes:
        each.launch()
    for each in nodes:
        each.await_up()
