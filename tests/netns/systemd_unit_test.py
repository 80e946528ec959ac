"""The unit for systemd: it is one, it protects, and the daemon calls nothing that it refuses.

    alice 192.168.10.10 ─ router ─ bob 192.168.10.20, boot (another network)
"""

import re
import shutil
import subprocess

from rig.cases import run_cases
from rig.conditions import expect
from rig.node import BUILD, trio
from rig.ping import ping

UNIT = BUILD / "conf" / "ipop.service"
# Of systemd-analyze: 0 is a service that may nothing, 10 one that may everything.
EXPOSURE_LIMIT = 2.5
HARDENING = re.compile(r"^(Protect|Restrict|SystemCall|Capability|Private|NoNewPriv|Device|Lock|"
                       r"Memory|UMask)")
# DPDK asks for a right that only old cards of virtio need, and goes on without.
HARMLESS = {"iopl"}
MISSING = "skipped: systemd-analyze is not installed"


def analyze(*words) -> subprocess.CompletedProcess:
    return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True,
                          timeout=60, check=False)


def exposure(unit) -> float:
    outcome = analyze("security", "--offline=yes", "--no-pager", unit)
    found = re.search(r"Overall exposure level for \S+: ([\d.]+)", outcome.stdout)
    expect(found, f"systemd-analyze says {outcome.stdout[-300:]}{outcome.stderr[-300:]}")
    return float(found[1])


def unit_of_this_tree(world, keep=lambda line: True):
    """With the program that was built, as the one installed may not be there."""
    text = re.sub(r"^ExecStart=\S+", f"ExecStart={BUILD / 'app' / 'ipopd'}",
                  UNIT.read_text(encoding="utf-8"), flags=re.M)
    world.directory.mkdir(exist_ok=True)
    file = world.directory / "ipop.service"
    file.write_text("\n".join(filter(keep, text.splitlines())) + "\n", encoding="utf-8")
    return file


def test_systemd_finds_no_mistake_in_the_unit(world):
    if not shutil.which("systemd-analyze"):
        return MISSING
    unit = unit_of_this_tree(world)
    outcome = analyze("verify", "--man=no", unit)
    said = outcome.stdout + outcome.stderr
    expect(outcome.returncode == 0 and "ipop.service" not in said, f"systemd says {said}")
    unit.write_text(unit.read_text(encoding="utf-8").replace("UMask=", "UMaske="), encoding="utf-8")
    expect("UMaske" in analyze("verify", "--man=no", unit).stderr, "a mistake was not noticed")
    return None


def test_the_unit_leaves_little_exposed(world):
    if not shutil.which("systemd-analyze"):
        return MISSING
    bare = exposure(unit_of_this_tree(world, lambda line: not HARDENING.match(line)))
    protected = exposure(unit_of_this_tree(world))
    expect(protected <= EXPOSURE_LIMIT, f"exposure {protected}, the limit is {EXPOSURE_LIMIT}")
    expect(bare > 9, f"without its protection the unit has an exposure of {bare}")
    return f"exposure {protected}, and {bare} without"


def allowed_calls() -> set:
    """The unit's list of system calls, with systemd's names for groups of them written out."""
    calls = set()
    for line in UNIT.read_text(encoding="utf-8").splitlines():
        words = line.removeprefix("SystemCallFilter=")
        if words != line:
            expanded = set().union(*map(calls_of, words.lstrip("~").split()))
            calls = calls - expanded if words.startswith("~") else calls | expanded
    return calls


def calls_of(word: str) -> set:
    if not word.startswith("@"):
        return {word}
    lines = [line.strip() for line in analyze("syscall-filter", word).stdout.splitlines()]
    return set().union(*(calls_of(line) for line in lines[1:]
                         if line and not line.startswith(("#", word + " "))))


def test_a_daemon_that_starts_reloads_and_ends_calls_nothing_that_the_unit_refuses(world):
    for program in ("systemd-analyze", "strace"):
        if not shutil.which(program):
            return f"skipped: {program} is not installed"
    alice, bob, _ = trio(world)
    bob.start()
    trace = alice.host.directory / "calls"
    alice.daemon = alice.host.start("strace", "-f", "-qq", "-o", trace, BUILD / "app" / "ipopd",
                                    "--config", alice.config, env=alice.env, name="ipopd")
    alice.await_up(20)
    alice.await_answer(20)
    expect(ping(alice.host, bob.address, 5, wait_s=5).lost == 0, "pings were lost")
    for command in (["reload"], ["status"], ["down"]):
        alice.ipop(*command)
    expect(alice.daemon.wait(10) == 0, f"the daemon failed: {alice.daemon.last_line()}")
    made = set(re.findall(r"^\d+ +(\w+)\(", trace.read_text(encoding="utf-8"), re.M))
    expect({"capset", "seccomp", "socket"} <= made, f"strace saw but {sorted(made)}")
    refused = made - allowed_calls() - HARMLESS
    expect(not refused, f"the unit refuses {', '.join(sorted(refused))}")
    expect("mount" not in allowed_calls(), "the unit allows everything")
    return f"{len(made)} different calls"


if __name__ == "__main__":
    run_cases(globals())
