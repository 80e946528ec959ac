"""Runs the namespace tests."""

import os
import sys

from harness.build_tree import ROOT, SANITIZER_ENV
from harness.case_files import case_files, run_case_file
from harness.report import Report

sys.path.insert(0, str(ROOT / "tests/netns"))
from rig.world import sweep  # noqa: E402

# Seconds; a test that draws nearer to its limit is too slow for every change.
SANITIZED = ["dhtnode_bootstrap", "bad_input", "wireguard_interop"]
LIMITS_S = {"load_test": 240, "wireguard_interop_test": 240, "demo_test": 240,
            "dpdk_wire_test": 240}
DEFAULT_LIMIT_S = 120
# What takes seconds in CI takes minutes there.
LIMIT_TIMES = 10 if os.environ.get("IPOP_SOAK") == "1" else 1


def run_netns_tests(report: Report, names=None, env=None) -> None:
    if os.geteuid() != 0:
        report.add("netns", False, "needs root, to make network namespaces")
        return
    files = case_files("netns", names)
    if not files:
        report.add("netns", False, "no such test")
    for file in files:
        _run(report, file, env or {})


def run_sanitized_netns_tests(report: Report, suite: str, tree, names=SANITIZED) -> None:
    """Whole daemons of a sanitizer's tree, in tests that measure neither time nor memory."""
    env = {**SANITIZER_ENV, "IPOP_BUILD": tree.name}
    for file in case_files("netns", names):
        _run(report, file, env, suite)


def _run(report: Report, file, env: dict, suite: str = "netns") -> None:
    limit_s = LIMITS_S.get(file.stem, DEFAULT_LIMIT_S) * LIMIT_TIMES
    run_case_file(report, suite, file, limit_s, sweep, env, logs=f"{suite}-netns")
