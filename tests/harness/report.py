"""The one place where test results are added up.

Every suite hands its results to a Report: one line each, "ok NAME" or "FAIL NAME: why", on the
console and in build/test/report.txt. The last line of all is "N passed, N failed".
"""

import sys
import time
from pathlib import Path


class Report:
    def __init__(self, directory: Path):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.passed = 0
        self.failures = []
        self._file = open(directory / "report.txt", "w", encoding="utf-8")
        self._started = time.monotonic()

    def section(self, title: str) -> None:
        elapsed = time.monotonic() - self._started
        print(f"== {title} (after {elapsed:.0f} s)", flush=True)

    def add(self, name: str, ok: bool, why: str = "", quiet: bool = False) -> None:
        """One result. Quiet ones are counted and written down, not shown, unless they failed."""
        if ok:
            self.passed += 1
            line = f"ok {name}"
        else:
            line = f"FAIL {name}: {why or 'no reason given'}"
            self.failures.append(line)
        self._file.write(line + "\n")
        self._file.flush()
        if not (ok and quiet):
            print("  " + line, flush=True)

    def add_lines(self, text: str, prefix: str = "") -> int:
        """Results of a program that prints "ok NAME" and "FAIL NAME: why"; returns how many."""
        count = 0
        for line in text.splitlines():
            if line.startswith("ok "):
                self.add(prefix + line[3:].strip(), True)
                count += 1
            elif line.startswith("FAIL "):
                name, _, why = line[5:].partition(": ")
                self.add(prefix + name.strip(), False, why.strip())
                count += 1
        return count

    def note(self, text: str) -> None:
        print("  " + text, flush=True)

    def close(self) -> int:
        """Prints the closing line; returns the exit status that goes with it."""
        if self.failures:
            print("== failures")
            for line in self.failures:
                print("  " + line)
        if self.passed == 0 and not self.failures:
            self.failures.append("no test ran")
            print("FAIL no test ran")
        closing = f"{self.passed} passed, {len(self.failures)} failed"
        self._file.write(closing + "\n")
        self._file.close()
        print(f"logs are in {self.directory}, {time.monotonic() - self._started:.0f} s in all")
        print(closing)
        sys.stdout.flush()
        return 1 if self.failures else 0
