"""`./dev test [SUITE …]`: the order of the suites, and what each needs built first."""

import os
import signal
import sys

from harness.build_tree import ADDRESS, PLAIN, ROOT, THREAD
from harness.command import run
from harness.fuzz import fuzz_programs, run_fuzz_targets
from harness.netns import run_netns_tests, run_sanitized_netns_tests
from harness.report import Report
from harness.unit import run_unit_tests
from harness.vm import run_vm_tests

BUILD_LIMIT_S = 1500
FUZZ_SECONDS = 3  # for each target, in CI

DAEMON = ("app/ipopd", "app/ipopd_fast_timers", "app/ipop")
VM_PROGRAMS = ("app/ipopd", "app/ipop")

# Units whose code is read by one thread while another writes it.
THREADED_NETNS = ["dhtnode_bootstrap", "lcores", "wireguard_interop"]
THREADED_UNITS = {"base", "engine", "engine_firewall", "engine_net", "kni", "app"}


def built(report, tree, targets=(), tests=None) -> bool:
    outcome = tree.build(report.directory / f"{tree.name}.log", BUILD_LIMIT_S, targets, tests)
    if outcome.ok:
        report.note(f"{tree.name}: built in {outcome.seconds:.0f} s")
        return True
    report.add(f"build {tree.name}", False, outcome.why())
    print(outcome.tail(), flush=True)
    return False


def lint(report):
    outcome = run(["python3", ROOT / "tests/lint/check.py"], report.directory / "lint.log", 300)
    if report.add_lines(outcome.output, prefix="lint ") == 0:
        report.add("lint", False, outcome.why())
    if not outcome.ok:
        print(outcome.tail(), flush=True)
    for file in sorted((ROOT / "tests").glob("*/*_test.py")):
        if file.parent.name in WITH_CASES:
            continue
        outcome = run(["python3", file], report.directory / f"lint-{file.stem}.log", 60)
        report.add(f"lint {file.stem}", outcome.ok, outcome.why())
        if not outcome.ok:
            print(outcome.tail(), flush=True)


def unit(report):
    if built(report, PLAIN):
        run_unit_tests(report, "unit", PLAIN)


def fuzz(report):
    if built(report, ADDRESS):
        minutes = int(os.environ.get("FUZZ_MINUTES", "0"))
        each = minutes * 60 // max(1, len(fuzz_programs())) if minutes else FUZZ_SECONDS
        run_fuzz_targets(report, max(1, each))


def asan(report):
    if built(report, ADDRESS):
        run_unit_tests(report, "asan", ADDRESS)
        run_sanitized_netns_tests(report, "asan", ADDRESS)


def tsan(report):
    if built(report, THREAD, tests=THREADED_UNITS) and built(report, THREAD, DAEMON):
        run_unit_tests(report, "tsan", THREAD, THREADED_UNITS)
        run_sanitized_netns_tests(report, "tsan", THREAD, THREADED_NETNS)


def netns(report, names=None):
    if built(report, PLAIN):
        run_netns_tests(report, names)


def vm(report, names=None):
    if built(report, PLAIN, VM_PROGRAMS):
        run_vm_tests(report, names)


SUITES = {"lint": lint, "unit": unit, "asan": asan, "fuzz": fuzz, "tsan": tsan, "netns": netns,
          "vm": vm}
WITH_CASES = ("netns", "vm")  # of these, single tests may be named
ONLY_WHEN_NAMED = ("vm",)


def main(arguments) -> int:
    # Ctrl-C and a polite end both unwind, so that the running test is ended and cleans up.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    wanted = [word for word in arguments if word in SUITES]
    names = [word for word in arguments if word not in SUITES]
    if names and wanted not in [[suite] for suite in WITH_CASES]:
        print(f"unknown suite {names[0]}; there are: {' '.join(SUITES)}", file=sys.stderr)
        print(f"names of single tests may follow {' or '.join(WITH_CASES)}", file=sys.stderr)
        return 2
    report = Report(ROOT / "build" / "test")
    for name in wanted or [suite for suite in SUITES if suite not in ONLY_WHEN_NAMED]:
        report.section(name)
        if name in WITH_CASES:
            SUITES[name](report, names)
        else:
            SUITES[name](report)
    return report.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
