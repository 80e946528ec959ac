#!/usr/bin/env python3
"""Speed from host to host: the bare cable, tapipop over it, and wireguard-go over it, in one run.

    alice ── veth ── bob      both ends, and all that encrypts, on this machine's cores

Each round measures each of the three in turn, so that a noisy moment hits all; what counts is the
ratio of medians, not the figures of one machine. TCP is measured with iperf3; UDP with udp_rate.cpp
(64 bytes, batches of 64, as fast as the sender can; what arrived is counted); round trips with
1,000 pings 2 ms apart. `./dev bench [--seconds N] [--rounds N] [--json FILE]`
"""

import argparse
import json
import os
import re
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/netns"))

from rig.conditions import Failure, wait_until  # noqa: E402
from rig.node import Node, start_together  # noqa: E402
from rig.ping import ping  # noqa: E402
from rig.traffic import IperfServer, batched_udp_pps, tcp_mbit  # noqa: E402
from rig.wireguard import WireGuardHost  # noqa: E402
from rig.world import World, unwind_on_signals  # noqa: E402

UDP_RATE = ROOT / "build/perf/netns/udp_rate"
UDP_BYTES = 64
PINGS = 1000

# Name, unit, and whether more is better.
MEASURES = {
    "TCP, one stream": ("Mbit/s", True),
    "TCP, four streams": ("Mbit/s", True),
    f"UDP, {UDP_BYTES} bytes": ("kpackets/s", True),
    "round trip": ("ms", False),
}


def round_trip_ms(host, address: str) -> float:
    outcome = host.run("ping", "-n", "-q", "-c", PINGS, "-i", "0.002", address, limit_s=60)
    average = re.search(r"rtt [^=]*= [\d.]+/([\d.]+)/", outcome.stdout)
    if not average:
        raise Failure(f"ping: {outcome.stdout}")
    return float(average[1])


def measure(host, other, server: IperfServer, seconds: int) -> dict:
    pps = batched_udp_pps(host, other, server.address, UDP_BYTES, seconds, UDP_RATE)
    values = (tcp_mbit(host, server, seconds), tcp_mbit(host, server, seconds, 4), pps / 1000,
              round_trip_ms(host, server.address))
    return dict(zip(MEASURES, values))


def start_ipop(world, alice, bob) -> str:
    """tapipop between the two, each the other's way into the DHT; returns bob's address."""
    nodes = [Node(alice), Node(bob)]
    nodes[0].init(10, [nodes[1].endpoint])
    nodes[1].init(20, [nodes[0].endpoint])
    start_together(*nodes)
    wait_until("pings through tapipop", lambda: ping(alice, nodes[1].address, 2, 0.2).replies, 15)
    return nodes[1].address


def start_wireguard(alice, bob) -> str:
    ends = WireGuardHost(alice, "192.168.20.10"), WireGuardHost(bob, "192.168.20.20")
    for end, other in (ends, ends[::-1]):
        end.start()
        end.add_peer(other.public_key, f"{other.address}/32", other.endpoint)
    wait_until("pings through wireguard-go", lambda: ping(alice, ends[1].address, 2, 0.2).replies,
               15)
    return ends[1].address


def run_rounds(rounds: int, seconds: int) -> dict:
    """System → measure → values, one a round."""
    with World() as world, world.logs_shown_on_failure():
        alice, bob = world.cable("alice", "bob")
        targets = {"bare": bob.address, "tapipop": start_ipop(world, alice, bob),
                   "wireguard-go": start_wireguard(alice, bob)}
        servers = {name: IperfServer(bob, address, 5201 + number)
                   for number, (name, address) in enumerate(targets.items())}
        values = {name: {measure_name: [] for measure_name in MEASURES} for name in targets}
        for number in range(rounds):
            for name, server in servers.items():
                for measure_name, value in measure(alice, bob, server, seconds).items():
                    values[name][measure_name].append(value)
                print(f"round {number + 1} of {rounds}: {name} done", file=sys.stderr, flush=True)
    return values


def summary(values: dict) -> list:
    """A row for each measure: medians of the three, and tapipop against each of the others."""
    rows = []
    for name, (unit, more_is_better) in MEASURES.items():
        medians = {system: statistics.median(of[name]) for system, of in values.items()}
        rows.append({"measure": name, "unit": unit, "more_is_better": more_is_better,
                     "medians": medians, "values": {s: of[name] for s, of in values.items()},
                     "to_bare": medians["tapipop"] / medians["bare"],
                     "to_wireguard_go": medians["tapipop"] / medians["wireguard-go"]})
    return rows


def show(rows: list) -> None:
    print(f"| {'measure':18} | {'unit':10} | {'bare':>9} | {'tapipop':>9} | {'wg-go':>9} "
          f"| ÷ bare | ÷ wg-go |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        medians = (f"{row['medians'][system]:9.2f}" if row["unit"] == "ms" else
                   f"{row['medians'][system]:9.0f}" for system in row["medians"])
        print(f"| {row['measure']:18} | {row['unit']:10} | {' | '.join(medians)} "
              f"| {row['to_bare']:6.2f} | {row['to_wireguard_go']:7.2f} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=int, default=5, help="of each TCP and UDP measurement")
    parser.add_argument("--rounds", type=int, default=3, help="the median of these counts")
    parser.add_argument("--json", type=Path, default=ROOT / "build/bench-netns.json")
    options = parser.parse_args()
    unwind_on_signals()
    rows = summary(run_rounds(options.rounds, options.seconds))
    show(rows)
    report = {"cores": os.cpu_count(), "seconds": options.seconds, "rounds": options.rounds,
              "rows": rows}
    options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
    print(f"{options.rounds} rounds on {os.cpu_count()} cores; all values are in {options.json}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
