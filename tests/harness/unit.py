"""Runs the unit test programs of a build tree and counts every single test in them."""

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from harness.build_tree import SANITIZER_ENV, BuildTree
from harness.command import run
from harness.report import Report

TOGETHER = 2


def run_unit_tests(report: Report, suite: str, tree: BuildTree, only=None) -> None:
    """`only`: names of programs, or None for all."""
    tests = [test for test in tree.tests() if only is None or test["name"] in only]
    if not tests:
        report.add(suite, False, "the build has no test programs")
    # A sanitizer's programs take long, one thread each; without one, some measure their own speed.
    together = [test for test in tests if tree.sanitized and test["is_parallel"]]
    with ThreadPoolExecutor(TOGETHER) as pool:
        for done in [pool.submit(_run_program, report, suite, tree, test) for test in together]:
            done.result()
    for test in tests:
        if test not in together:
            _run_program(report, suite, tree, test)


def _run_program(report: Report, suite: str, tree: BuildTree, test: dict) -> None:
    name = f"{suite} {test['name']}"
    results = report.directory / f"{suite}-{test['name']}.json"
    results.unlink(missing_ok=True)
    limit_s = (test.get("timeout") or 60) * (4 if tree.sanitized else 1)
    command = [*tree.launcher(), *test["cmd"], f"--gtest_output=json:{results}"]
    outcome = run(command, results.with_suffix(".log"), limit_s,
                  env={**SANITIZER_ENV, **test.get("env", {})})
    counted, failed = _add_results(report, name, results)
    skipped = _skipped(results.with_suffix(".log"))
    if not outcome.ok and not failed:
        report.add(name, False, outcome.why())
    elif counted == 0 and not skipped:
        report.add(name, False, "it ran no test")
    if not outcome.ok:
        print(outcome.tail(), flush=True)
    report.note(f"{name}: {counted} tests in {outcome.seconds:.1f} s")
    for why, count in sorted(skipped.items()):
        report.note(f"{name}: {count} skipped: {why}")


def _add_results(report: Report, name: str, results: Path) -> tuple:
    """How many tests ran, and how many failed."""
    try:
        suites = json.loads(results.read_text(encoding="utf-8"))["testsuites"]
    except (OSError, ValueError, KeyError):
        return 0, 0
    counted = failed = 0
    for suite in suites:
        for case in suite["testsuite"]:
            if case.get("status") == "NOTRUN" or case.get("result") == "SKIPPED":
                continue
            why = "; ".join(f["failure"].splitlines()[0] for f in case.get("failures", []))
            report.add(f"{name} {suite['name']}.{case['name']}", not why, why, quiet=True)
            counted += 1
            failed += bool(why)
    return counted, failed


def _skipped(log: Path) -> Counter:
    """How many tests said each reason for not running; the results do not hold what they said."""
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    return Counter(why for at, why in zip(lines, lines[1:]) if at.endswith(": Skipped"))
