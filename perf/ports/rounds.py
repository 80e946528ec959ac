"""Rounds of the engine and of dpdk-testpmd on the same kinds of port, one after another."""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from ports import testpmd

LIMIT_S = 120
SECONDS = 1  # of each figure of dpdk-testpmd's


def run_rounds(pps: Path, rounds: int, tell) -> dict:
    """A row for each kind of port; without those of dpdk-testpmd if it is not there."""
    without = testpmd.missing()
    if without:
        tell(f"ports: {without}")
    taken = []
    for number in range(rounds):
        tell(f"ports: round {number + 1} of {rounds}")
        ours = engine_on(pps)
        theirs = {} if without else {
            ports: {mode: testpmd.forwarding_ns(ports, mode, ours["hugepages"], SECONDS)
                    for mode in testpmd.MODES} for ports in testpmd.PORTS}
        taken.append([of_round(row, theirs.get(row["wire"], {})) for row in ours["ports"]])
    return {"rounds": rounds, "without_testpmd": without, "rows": summarise(taken)}


def engine_on(pps: Path) -> dict:
    with tempfile.NamedTemporaryFile(suffix=".json") as into:
        subprocess.run([pps, "--ports", "--json", into.name], check=True, timeout=LIMIT_S,
                       stdin=subprocess.DEVNULL, stdout=sys.stderr)
        return json.load(into)


def of_round(row: dict, testpmd_ns: dict) -> dict:
    """Wire and figures, by name, ns; and ratios of what ran in the same round."""
    figures = {name: row[f"{name}_ns"]["median"] for name in (*testpmd.MODES, "relay")}
    for way in ("encap", "decap"):
        figures[way] = row[way]["engine_ns"]["median"]
        figures[f"{way}_aead"] = row[way]["aead_ns"]["median"]
        figures[f"{way}_beyond"] = row[way]["beyond_ns"]["median"]
    for mode, nanoseconds in testpmd_ns.items():
        figures[f"testpmd_{mode}"] = nanoseconds
        figures[f"{mode}_to_testpmd"] = figures[mode] / nanoseconds
    if testpmd_ns:
        figures["relay_to_testpmd"] = figures["relay"] / testpmd_ns["mac"]
    return {"wire": row["wire"], **figures}


def summarise(taken: list) -> list:
    """Medians of the rounds, each with its values."""
    rows = []
    for same in zip(*taken):
        names = [name for name in same[0] if name != "wire"]
        rows.append({"wire": same[0]["wire"],
                     "median": {name: statistics.median(row[name] for row in same)
                                for name in names},
                     "values": {name: [row[name] for row in same] for name in names}})
    return rows
