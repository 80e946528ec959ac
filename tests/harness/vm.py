"""Runs the tests in virtual machines, which need no root: emulated PCI cards, by vfio."""

import shutil
import tempfile
from pathlib import Path

from harness.case_files import case_files, run_case_file
from harness.report import Report

# Seconds for a file; ten times what it takes on a machine that has time for it.
LIMIT_S = 900


def run_vm_tests(report: Report, names=None) -> None:
    files = case_files("vm", names)
    if not files:
        report.add("vm", False, "no such test")
    for file in files:
        run_case_file(report, "vm", file, LIMIT_S, _sweep, {}, logs="vm")


def _sweep(prefix: str) -> list:
    left = sorted(Path(tempfile.gettempdir()).glob(f"{prefix}*"))
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return [folder.name for folder in left]
