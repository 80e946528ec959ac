"""Runs the namespace tests one after another, each in a process of its own with a time limit."""

import os
import shutil
import sys
from pathlib import Path

from harness.build_tree import ROOT, SANITIZER_ENV
from harness.command import run
from harness.report import Report

sys.path.insert(0, str(ROOT / "tests/netns"))
from rig.world import sweep  # noqa: E402

# Seconds; a test that draws nearer to its limit is too slow for every change.
SANITIZED = ["dhtnode_bootstrap", "bad_input", "wireguard_interop"]
LIMITS_S = {"load_test": 240, "wireguard_interop_test": 240, "demo_test": 240}
DEFAULT_LIMIT_S = 120


def netns_tests(names=None) -> list:
    files = sorted((ROOT / "tests/netns").glob("*_test.py"))
    if names:
        files = [f for f in files if f.stem in names or f.stem.removesuffix("_test") in names]
    return files


def run_netns_tests(report: Report, names=None, env=None) -> None:
    if os.geteuid() != 0:
        report.add("netns", False, "needs root, to make network namespaces")
        return
    files = netns_tests(names)
    if not files:
        report.add("netns", False, "no such test")
    for file in files:
        _run_file(report, file, env or {})


def run_sanitized_netns_tests(report: Report, suite: str, tree, names=SANITIZED) -> None:
    """Whole daemons of a sanitizer's tree, in tests that measure neither time nor memory."""
    env = {**SANITIZER_ENV, "IPOP_BUILD": tree.name}
    for file in netns_tests(names):
        _run_file(report, file, env, suite)


def _run_file(report: Report, file: Path, env: dict, suite: str = "netns") -> None:
    name = file.stem.removesuffix("_test")
    logs = report.directory / f"{suite}-netns-{name}"
    prefix = f"ipop-{os.getpid()}-{name.replace('_', '')[:12]}-"
    shutil.rmtree(logs, ignore_errors=True)
    outcome = run(["python3", file], report.directory / f"{suite}-{name}.log",
                  LIMITS_S.get(file.stem, DEFAULT_LIMIT_S),
                  env={"IPOP_TEST_LOGS": str(logs), "IPOP_TEST_PREFIX": prefix, **env})
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
