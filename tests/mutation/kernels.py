"""Whether the unit tests notice faults in the AEAD kernels: `./dev mutation`.

Each fault is a small change of a source, made in a copy of the tree: a power, a mask, a number of
a block, an end, a comparison. The kernels' tests are built and run with it; one of them must fail.
"""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from faults import FAULTS

ROOT = Path(__file__).resolve().parents[2]
COPY = ROOT / "build" / "mutation"
TREE = COPY / "build"
TESTS = ["tests/unit/engine/kernels/test_aead_kernels_gcm",
         "tests/unit/engine/kernels/test_aead_kernels_chacha",
         "tests/unit/engine/kernels/test_aead_kernels_random"]
BUILD_LIMIT_S = 900
TEST_LIMIT_S = 120


def call(*command, limit_s=BUILD_LIMIT_S):
    return subprocess.run([str(part) for part in command], cwd=COPY, capture_output=True,
                          text=True, timeout=limit_s, check=False)


def prepare() -> None:
    shutil.rmtree(COPY, ignore_errors=True)
    files = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"],
                           cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in files.splitlines():
        if not (ROOT / name).is_file():
            continue
        target = COPY / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    if call("meson", "setup", TREE).returncode != 0:
        sys.exit("the copy cannot be configured")


def passes() -> bool:
    """Whether the tests pass; a program that hangs or crashes does not."""
    for test in TESTS:
        try:
            if call(TREE / test, "--gtest_brief=1", limit_s=TEST_LIMIT_S).returncode != 0:
                return False
        except subprocess.TimeoutExpired:
            return False
    return True


def build() -> bool:
    jobs = os.environ.get("IPOP_JOBS") or str(os.cpu_count() or 2)
    return call("ninja", "-C", TREE, "-j", jobs, *TESTS).returncode == 0


def runs_here(family: str) -> bool:
    flags = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    return family != "avx512" or {"avx512bw", "avx512ifma", "vaes"} <= set(flags)


def try_fault(file: str, right: str, wrong: str) -> str:
    path = COPY / "engine/aead" / file
    sound = path.read_text(encoding="utf-8")
    if sound.count(right) != 1:
        return "stands no longer once in the source"
    path.write_text(sound.replace(right, wrong), encoding="utf-8")
    try:
        if not build():
            return "does not compile"
        return "NOT NOTICED" if passes() else ""
    finally:
        path.write_text(sound, encoding="utf-8")


def main() -> int:
    os.environ.setdefault("CCACHE_NOHASHDIR", "1")
    wanted = sys.argv[1:]
    prepare()
    if not build() or not passes():
        sys.exit("the tests fail without a fault")
    missed = tried = 0
    for description, file, right, wrong in FAULTS:
        if not runs_here(file.split("/")[0]):
            print(f"skip {description}: the processor cannot run {file}")
            continue
        if wanted and not any(word in description for word in wanted):
            continue
        start = time.monotonic()
        why = try_fault(file, right, wrong)
        tried += 1
        missed += bool(why)
        print(f"{'FAIL' if why else 'ok  '} {description}{': ' + why if why else ''} "
              f"({time.monotonic() - start:.0f} s)", flush=True)
    print(f"mutation: {tried} faults, {missed} not noticed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
