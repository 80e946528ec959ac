"""What is measured between two hosts, once a system carries packets from one to the other.

    alice ── veth ── bob      both ends, and all that encrypts, on this machine's cores

All systems get the same traffic from the same programs: iperf3 for TCP, udp_rate.cpp for UDP,
ping for round trips.
"""

import math
import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from rig.conditions import Failure
from rig.ping import ping
from rig.process import cpu_s
from rig.traffic import IperfServer, batched_udp, tcp_mbit
from rig.world import Host

UDP_RATE = Path(__file__).resolve().parents[2] / "build/perf/netns/udp_rate"
PINGS = 1000
PINGS_A_SECOND_UNDER_LOAD = 200
PATIENCE_S = 1


@dataclass
class Link:
    """From alice to `address`, which is bob's in the system that is measured."""
    alice: Host
    bob: Host
    address: str
    server: IperfServer
    seconds: int


@dataclass
class Reading:
    value: float
    loss: float | None = None  # part of the packets sent that never came
    cpu_s: float = 0.0         # of the system's processes at both ends
    wall_s: float = 0.0        # while it had work


@dataclass(frozen=True)
class Measure:
    name: str
    title: str
    unit: str
    more_is_better: bool
    take: Callable[[Link], Reading]


def tcp(streams: int) -> Callable:
    def take(link: Link) -> Reading:
        return Reading(tcp_mbit(link.alice, link.server, link.seconds, streams),
                       wall_s=link.seconds)
    return take


def udp(size: int) -> Callable:
    """Thousand datagrams a second that arrived, the sender being as fast as it can."""
    def take(link: Link) -> Reading:
        sent, arrived = batched_udp(link.alice, link.bob, link.address, size, link.seconds,
                                    UDP_RATE)
        return Reading(arrived / link.seconds / 1000, loss=1 - arrived / max(1, sent),
                       wall_s=link.seconds)
    return take


def round_trip(link: Link) -> Reading:
    outcome = link.alice.run("ping", "-n", "-q", "-c", PINGS, "-i", "0.002", "-W", PATIENCE_S,
                             link.address, check=False, limit_s=60)
    average = re.search(r"rtt [^=]*= [\d.]+/([\d.]+)/", outcome.stdout)
    received = re.search(r"(\d+) received", outcome.stdout)
    if not average or not received:
        raise Failure(f"ping {link.address}: {outcome.stdout}{outcome.stderr}")
    return Reading(float(average[1]), loss=1 - int(received[1]) / PINGS)


def percentile(sorted_values: list, part: float) -> float:
    """The nearest rank: the smallest value that `part` of all values do not exceed."""
    return sorted_values[max(0, math.ceil(part * len(sorted_values)) - 1)]


def round_trip_under_load(link: Link) -> Reading:
    """The 99th percentile, while one TCP stream takes all it can. A lost ping counts as slow as
    the longest wait."""
    stream = link.alice.start("iperf3", "-c", link.address, "-p", link.server.port,
                              "-t", link.seconds + 30, "-i", "0.5", "--forceflush",
                              name="iperf3-stream")
    stream.wait_for_line("bits/sec", 10)  # it is under way
    pings = ping(link.alice, link.address, PINGS_A_SECOND_UNDER_LOAD * link.seconds,
                 1 / PINGS_A_SECOND_UNDER_LOAD, PATIENCE_S)
    stream.must_run()
    stream.kill()
    times = sorted(ms for _, _, ms in pings.replies) + [PATIENCE_S * 1000.0] * pings.lost
    return Reading(percentile(times, 0.99), loss=pings.lost / pings.sent)


# In this order: the last one leaves its TCP stream cut off.
MEASURES = (
    Measure("tcp-1", "TCP, one stream", "Mbit/s", True, tcp(1)),
    Measure("tcp-4", "TCP, four streams", "Mbit/s", True, tcp(4)),
    Measure("udp-64", "UDP of 64 bytes", "kpackets/s", True, udp(64)),
    Measure("udp-1200", "UDP of 1,200 bytes", "kpackets/s", True, udp(1200)),
    Measure("ping", "round trip", "ms", False, round_trip),
    Measure("ping-p99", "round trip under TCP load, 99th percentile", "ms", False,
            round_trip_under_load),
)


def take_with_cost(measure: Measure, link: Link, pids: list) -> Reading:
    """Takes it, and notes the processor time that the processes `pids` used meanwhile."""
    started, used = time.monotonic(), sum(map(cpu_s, pids))
    reading = measure.take(link)
    reading.cpu_s = sum(map(cpu_s, pids)) - used
    reading.wall_s = reading.wall_s or time.monotonic() - started
    return reading
