"""A guest that runs the tree's ipopd, with the files where they are on any machine."""

import json
import time

from lab.guest import Guest
from rig.conditions import Failure, expect, wait_until

PORT = 4545
CONFIG = "/etc/ipop/ipop.yaml"
START_LIMIT_S = 90


class GuestNode:
    def __init__(self, host: Guest, octet: int, network: str = "ipop_in_the_lab_of_machines"):
        self.host = host
        self.octet = octet
        self.network = network
        self.address = f"192.168.10.{octet}"
        self.daemon = None

    @property
    def name(self) -> str:
        return self.host.name

    @property
    def endpoint(self) -> str:
        return f"{self.host.address}:{PORT}"

    def init(self, neighbour: Guest, further: str = "") -> None:
        """Writes key and configuration with `ipop init`, to meet the others at a neighbour, and
        adds sections by hand."""
        self.host.script(f"rm -rf {CONFIG} /var/lib/ipop")
        self.host.run("ipop", "init", self.network, self.octet, "--hostname", self.name,
                      "--listen", f"0.0.0.0:{PORT}", "--bootstrap", f"{neighbour.address}:{PORT}")
        self.host.script(f"cat >> {CONFIG} <<'END'\n{further}\nEND\n")

    def configure(self, sections: str) -> None:
        """Has its key from `ipop init`, and a configuration of its own."""
        self.init(self.host)
        self.host.write(CONFIG, f"network: {{name: {self.network}, address: {self.address}/24, "
                                f"hostname: {self.name}}}\n{sections}")

    def start(self) -> None:
        self.launch()
        self.await_up()

    def launch(self) -> None:
        self.daemon = self.host.start("ipopd")

    def await_up(self) -> None:
        def answers():
            self.daemon.must_run()
            return self.host.run("test", "-e", "/run/ipop/control.sock",
                                 check=False).returncode == 0
        wait_until(f"ipopd on {self.name} to answer", answers, START_LIMIT_S, 0.1)

    def stop(self) -> None:
        status = self.daemon.stop()
        expect(status == 0, f"ipopd on {self.name} ended with {status}: {self.daemon.last_line()}")

    def status(self) -> dict:
        outcome = self.host.run("ipop", "status", "--json")
        try:
            return json.loads(outcome.stdout)
        except ValueError:
            raise Failure(f"ipop status --json printed no JSON: {outcome.stdout[:200]}") from None

    def peer(self, address: str) -> dict:
        """Rather one that is connected than one that only claims the address; empty if nobody."""
        peers = self.status().get("peers", [])
        for peer in sorted(peers, key=lambda each: each["state"] != "connected"):
            if any(entry.split("/")[0] == address for entry in peer.get("addresses", [])):
                return peer
        return {}

    def events(self) -> dict:
        return self.status()["engine"]["wire_events"]

    def doctor(self) -> dict:
        """Level, text and advice by topic."""
        said = self.host.run("ipop", "doctor", "--json", "--config", CONFIG, check=False).stdout
        return {each["topic"]: each for each in json.loads(said)}

    def cpu_share(self, seconds: float) -> float:
        """Of a core of the guest's, over some seconds in which the test does nothing."""
        before_s, started = self.daemon.cpu_s(), time.monotonic()
        time.sleep(seconds)
        return (self.daemon.cpu_s() - before_s) / (time.monotonic() - started)
