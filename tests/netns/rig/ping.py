"""Pings, counted and timed one by one."""

import re
import signal
from dataclasses import dataclass, field

from rig.conditions import Failure
from rig.world import Host

# Pings of less than 16 bytes carry no time.
REPLY = re.compile(r"^\[(\d+\.\d+)\] \d+ bytes from .*icmp_seq=(\d+) ttl=\d+(?: time=([\d.]+) ms)?")
SUMMARY = re.compile(r"(\d+) packets transmitted, (\d+) received")


@dataclass
class Pings:
    sent: int = 0
    replies: list = field(default_factory=list)  # (wall time, sequence number, milliseconds)
    unreachable: int = 0
    output: str = ""

    @property
    def lost(self) -> int:
        return self.sent - len({sequence for _, sequence, _ in self.replies})

    @property
    def first_reply_at(self) -> float:
        if not self.replies:
            raise Failure(f"no reply to {self.sent} pings")
        return self.replies[0][0]

    def average_ms(self) -> float:
        return sum(ms for _, _, ms in self.replies) / max(1, len(self.replies))

    def lost_numbers(self) -> list:
        came = {sequence for _, sequence, _ in self.replies}
        return [n for n in range(1, self.sent + 1) if n not in came]


def parse(output: str) -> Pings:
    pings = Pings(output=output)
    for line in output.splitlines():
        reply = REPLY.match(line)
        summary = SUMMARY.search(line)
        if reply:
            pings.replies.append((float(reply[1]), int(reply[2]), float(reply[3] or 0)))
        elif "Unreachable" in line:
            pings.unreachable += 1
        elif summary:
            pings.sent = int(summary[1])
    return pings


def command(address: str, interval_s: float, *options) -> list:
    return ["ping", "-n", "-D", "-i", str(interval_s), *options, address]


def ping(host: Host, address: str, count: int, interval_s: float = 0.05, wait_s: float = 1,
         size: int = 56) -> Pings:
    """Sends `count` pings; a reply may take `wait_s`, the last one too."""
    outcome = host.run(*command(address, interval_s, "-c", str(count), "-W", str(wait_s), "-s",
                                str(size)),
                       check=False, limit_s=count * interval_s + 10 * wait_s + 20)
    pings = parse(outcome.stdout)
    if pings.sent == 0:
        said = (outcome.stderr or outcome.stdout).strip()
        raise Failure(f"ping {address} on {host.name}: {said}")
    return pings


class PingStream:
    """Pings in the background, until asked for what became of them."""

    def __init__(self, host: Host, address: str, interval_s: float = 0.05):
        self._process = host.start(*command(address, interval_s), name=f"ping-{address}")

    def so_far(self) -> Pings:
        return parse(self._process.log())

    def finish(self) -> Pings:
        self._process.signal(signal.SIGINT)
        self._process.wait(5)
        return parse(self._process.log())
