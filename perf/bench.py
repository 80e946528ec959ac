#!/usr/bin/env python3
"""`./dev bench`: microbenchmarks, the engine on ports without a card, and speed from host to host.

Leaves build/bench/{micro,pps,netns}.json, report.md and throughput.svg. Ends by itself, and leaves
no namespace and no process behind, also after Ctrl-C.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "perf"), str(ROOT / "tests/netns")]

from rig.world import unwind_on_signals  # noqa: E402

from netns.measures import MEASURES  # noqa: E402
from netns.rivals import RIVALS  # noqa: E402
from netns.rivals.rival import Rival  # noqa: E402
from netns.rounds import run_rounds, tell  # noqa: E402
from netns.summary import summarise  # noqa: E402
from netns.systems import OURS, Bare  # noqa: E402
from ports import rounds as ports_rounds  # noqa: E402
from report.document import document  # noqa: E402
from report.machine import describe  # noqa: E402
from report.throughput_plot import throughput_plot  # noqa: E402

OUTPUT = ROOT / "build/bench"
PROGRAMS = ROOT / "build/perf"
SYSTEMS = (Bare(), *OURS, *RIVALS)
PARTS = ("micro", "pps", "netns")
PROGRAM_LIMIT_S = 300


def choice(what: str, known: list):
    """The type of an option that takes names, divided by commas."""
    def parse(text: str) -> list:
        names = text.split(",")
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(
                    f'there is no {what} "{name}"; there are: {" ".join(known)}')
        return names
    return parse


def options():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--parts", type=choice("part", PARTS), metavar="PART,…", default=PARTS,
                        help=f"some of: {' '.join(PARTS)}; all by default")
    parser.add_argument("--seconds", type=int, default=3, help="of each TCP and UDP measurement")
    parser.add_argument("--rounds", type=int, default=3,
                        help="from host to host, and of DPDK ports; their medians count")
    parser.add_argument("--only", metavar="SYSTEM,…",
                        type=choice("system", [system.name for system in SYSTEMS]),
                        help=f"some of: {' '.join(system.name for system in SYSTEMS)}")
    parser.add_argument("--measures", metavar="MEASURE,…",
                        type=choice("measure", [measure.name for measure in MEASURES]),
                        help=f"some of: {' '.join(measure.name for measure in MEASURES)}")
    parser.add_argument("--rivals", action="store_true",
                        help="first install the rivals that Debian has (those installed are "
                             "measured anyway)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all figures in one file too")
    chosen = parser.parse_args()
    if chosen.seconds < 1 or chosen.rounds < 1:
        parser.error("--seconds and --rounds are at least 1")
    return chosen


def run_micro() -> dict:
    """Program → what Google Benchmark wrote of it."""
    results = {}
    for program in sorted((PROGRAMS / "micro").glob("*_bench")):
        tell(f"micro: {program.name}")
        with tempfile.NamedTemporaryFile(suffix=".json") as into:
            # On standard error each says once more what machine this is.
            outcome = subprocess.run(
                [program, "--benchmark_min_time=0.05", f"--benchmark_out={into.name}",
                 "--benchmark_out_format=json"], check=False, timeout=PROGRAM_LIMIT_S,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                text=True)
            if outcome.returncode != 0:
                raise SystemExit(f"{program.name}: status {outcome.returncode}\n{outcome.stderr}")
            results[program.name] = json.load(into)
    return results


def run_pps(rounds: int) -> dict:
    tell("pps")
    pps = PROGRAMS / "pps/pps"
    with tempfile.NamedTemporaryFile(suffix=".json") as into:
        subprocess.run([pps, "--json", into.name], check=True, timeout=PROGRAM_LIMIT_S,
                       stdin=subprocess.DEVNULL, stdout=sys.stderr)
        figures = json.load(into)
    return {**figures, "ports": ports_rounds.run_rounds(pps, rounds, tell)}


def run_netns(chosen) -> dict:
    measures = [each for each in MEASURES if each.name in (chosen.measures or [each.name])]
    systems, left_out = [], {}
    for system in SYSTEMS:
        if system.name not in (chosen.only or [system.name]):
            continue
        if system.measures and not any(each.name in system.measures for each in measures):
            continue
        missing = system.missing() if isinstance(system, Rival) else ""
        if missing:
            left_out[system.name] = f"not installed ({missing})"
            tell(f"{system.name} is left out: {left_out[system.name]}")
        else:
            systems.append(system)
    if not systems:
        raise SystemExit("bench: nothing is left to measure from host to host")
    readings, failed = run_rounds(systems, measures, chosen.rounds, chosen.seconds)
    return {"seconds": chosen.seconds, "rounds": chosen.rounds,
            "systems": {system.name: {
                "label": system.label, "kind": kind_of(system),
                "version": system.version() if isinstance(system, Rival) else ""}
                for system in systems if system.name in readings},
            "left_out": left_out | failed, "rows": summarise(measures, readings)}


def kind_of(system) -> str:
    return "rival" if isinstance(system, Rival) else "bare" if system.name == "bare" else "ours"


def main() -> int:
    chosen = options()
    unwind_on_signals()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    machine = describe()
    work = {"micro": run_micro, "pps": lambda: run_pps(chosen.rounds),
            "netns": lambda: run_netns(chosen)}
    results = {}
    for part in PARTS:
        if part in chosen.parts:
            results[part] = {"machine": machine, **work[part]()}
            write(OUTPUT / f"{part}.json", results[part])
    report = document(machine, results, "sudo ./dev bench " + " ".join(sys.argv[1:]))
    (OUTPUT / "report.md").write_text(report, encoding="utf-8")
    if "netns" in results:
        plot = throughput_plot(results["netns"], machine)
        (OUTPUT / "throughput.svg").write_text(plot, encoding="utf-8")
    if chosen.json:
        write(chosen.json, {"machine": machine, **results})
    print(report)
    tell(f"all of it is in {OUTPUT.relative_to(ROOT)}/")
    return 0


def write(file: Path, figures: dict) -> None:
    file.write_text(json.dumps(figures, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
