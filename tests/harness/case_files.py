"""Runs test files one by one, each in a process of its own with a time limit."""

import os
import shutil
from pathlib import Path

from harness.build_tree import ROOT
from harness.command import run
from harness.report import Report


def case_files(folder: str, names=None) -> list:
    files = sorted((ROOT / "tests" / folder).glob("*_test.py"))
    if names:
        files = [f for f in files if f.stem in names or f.stem.removesuffix("_test") in names]
    return files


def run_case_file(report: Report, suite: str, file: Path, limit_s: float, sweep, env: dict,
                  logs: str) -> None:
    """`sweep(prefix)` removes what has a name of this run's, and returns the names; `logs` is how
    the folder's name begins that gets them."""
    name = file.stem.removesuffix("_test")
    folder = report.directory / f"{logs}-{name}"
    prefix = f"ipop-{os.getpid()}-{name.replace('_', '')[:12]}-"
    shutil.rmtree(folder, ignore_errors=True)
    outcome = run(["python3", file], report.directory / f"{suite}-{name}.log", limit_s,
                  env={"IPOP_TEST_LOGS": str(folder), "IPOP_TEST_PREFIX": prefix, **env})
    left = sweep(prefix)
    failures = len(report.failures)
    count = report.add_lines(outcome.output, prefix=f"{suite} {name}: ")
    if not outcome.ok and len(report.failures) == failures:
        report.add(f"{suite} {name}", False, outcome.why())
    elif count == 0:
        report.add(f"{suite} {name}", False, "it ran no test")
    if left:
        report.add(f"{suite} {name} cleans up", False, f"left behind: {' '.join(left)}")
    if len(report.failures) > failures:
        print(outcome.tail(60), flush=True)
