"""Build directories: the plain one, and those for sanitizers, fuzzing and fast handshake timers.

`python3 -m harness.build_tree NAME` builds one with its output on the console (`./dev build`).
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from harness.command import Outcome, run

ROOT = Path(__file__).resolve().parents[2]
# The trees compile mostly the same: what one compiled, another takes from the compiler's cache,
# although their directories have different names.
os.environ.setdefault("CCACHE_NOHASHDIR", "1")
JOBS = os.environ.get("IPOP_JOBS") or str(os.cpu_count() or 2)

# A sanitizer's findings end the program, so that a test cannot pass over them.
SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}
# A compiler that is named gets no cache from meson by itself.
CLANG = {"CXX": "ccache clang++-16", "CC": "ccache clang-16"}
PROGRAMS = ("ipopd", "ipopd_fast_timers", "ipop")


@dataclass
class BuildTree:
    name: str
    options: list = field(default_factory=list)
    compiler: dict = field(default_factory=dict)
    sanitized: bool = False

    @property
    def path(self) -> Path:
        return ROOT / self.name

    def build(self, log: Path, limit_s: float, targets=(), tests=None) -> Outcome:
        """Builds `targets`, or the programs of the unit tests named in `tests`, or all."""
        if not self._is_configured():
            outcome = run(self._setup_command(), log, 120, env=self.compiler, cwd=ROOT)
            if not outcome.ok:
                return outcome
        if tests is not None:
            targets = [Path(test["cmd"][0]).relative_to(self.path) for test in self.tests()
                       if test["name"] in tests]
        outcome = run(self._ninja_command(targets), log, limit_s)
        if outcome.ok:
            self._link_programs()
        return outcome

    def build_shown(self) -> int:
        """Builds all, on the console; returns the exit status."""
        if not self.configure_shown():
            return 1
        status = subprocess.call(self._ninja_command(()))
        if status == 0:
            self._link_programs()
        return status

    def configure_shown(self) -> bool:
        return self._is_configured() or subprocess.call(
            self._setup_command(), cwd=ROOT, env={**os.environ, **self.compiler}) == 0

    def tests(self) -> list:
        """What meson knows of the tests: dicts with name, cmd, env, timeout."""
        text = subprocess.run(["meson", "introspect", "--tests", self.path], check=True,
                              capture_output=True, text=True).stdout
        return json.loads(text)

    def launcher(self) -> list:
        # Sanitizers want their shadow memory where address randomisation may put something else.
        return ["setarch", "--addr-no-randomize"] if self.sanitized else []

    def _is_configured(self) -> bool:
        return (self.path / "build.ninja").exists()

    def _setup_command(self) -> list:
        return ["meson", "setup", str(self.path), *self.options]

    def _ninja_command(self, targets) -> list:
        return ["ninja", "-C", str(self.path), "-j", JOBS, *map(str, targets)]

    def _link_programs(self) -> None:
        for program in PROGRAMS:
            link = self.path / program
            if (self.path / "app" / program).exists() and not link.is_symlink():
                link.symlink_to(Path("app") / program)


PLAIN = BuildTree("build", ["--werror"])
# Line tables are all that a finding's trace needs. Unoptimised, the address tree compiles in half
# the time (523 s of processor time against 1066) and its tests take 30 s longer.
QUICK = ["-Doptimization=0", "-Dcpp_args=-gline-tables-only"]
ADDRESS = BuildTree(
    "build-asan", ["-Dfuzz=true", "-Db_sanitize=address,undefined", "-Db_lundef=false",
                   *QUICK],
    CLANG, sanitized=True)
THREAD = BuildTree(
    "build-tsan", ["-Db_sanitize=thread", "-Db_lundef=false", *QUICK], CLANG, sanitized=True)
TREES = {"plain": PLAIN, "address": ADDRESS, "thread": THREAD}

if __name__ == "__main__":
    sys.exit(TREES[sys.argv[1]].build_shown())
