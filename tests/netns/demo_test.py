"""The demo ends well, quickly, and leaves nothing behind, also when it is interrupted."""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rig.cases import SOAK, run_cases
from rig.conditions import expect, wait_until
from rig.world import namespaces_with, run

DEMO = Path(__file__).resolve().parent / "demo.py"
DURATION_LIMIT_S = 15
INTERRUPTIONS = 6 if SOAK else 3


class Demo:
    """One run of the demo, told by the prefix of its namespaces and files."""

    def __init__(self, world):
        self.prefix = f"{world.prefix}demo-{time.monotonic_ns() % 1000000}-"
        self._output = tempfile.TemporaryFile()
        self._interfaces = interfaces()
        self._started = time.monotonic()
        self._popen = subprocess.Popen(
            [sys.executable, DEMO], stdin=subprocess.DEVNULL, stdout=self._output,
            stderr=subprocess.STDOUT, start_new_session=True,
            env=dict(os.environ, IPOP_TEST_PREFIX=self.prefix))

    def output(self) -> str:
        self._output.seek(0)
        return self._output.read().decode()

    def lines(self) -> int:
        return os.pread(self._output.fileno(), 1 << 20, 0).count(b"\n")

    def running(self) -> bool:
        return self._popen.poll() is None

    def interrupt(self) -> None:
        # As a terminal does it: the whole foreground group.
        os.killpg(self._popen.pid, signal.SIGINT)

    def end(self) -> tuple:
        status = self._popen.wait(60)
        return status, time.monotonic() - self._started

    def must_leave_nothing(self) -> None:
        left = namespaces_with(self.prefix)
        expect(not left, f"namespaces are left: {left}")
        files = [path.name for path in Path(tempfile.gettempdir()).glob(self.prefix + "*")]
        expect(not files, f"files are left: {files}")
        processes = [line for line in run("ps", "-eo", "pid,args").stdout.splitlines()
                     if self.prefix in line]
        expect(not processes, f"processes are left: {processes}")
        new = interfaces() - self._interfaces
        expect(not new, f"interfaces are left: {new}")


def interfaces() -> set:
    return set(os.listdir("/sys/class/net"))


def test_the_demo_ends_well_and_leaves_nothing_behind(world):
    demo = Demo(world)
    status, took_s = demo.end()
    output = demo.output()
    expect(status == 0, f"status {status}: {output[-600:]}")
    expect(took_s < DURATION_LIMIT_S, f"it took {took_s:.1f} s")
    on_wire = re.search(r"on the wire: (\d+) packets, the pings' pattern found 0 times", output)
    expect(on_wire and int(on_wire[1]) > 0, "it does not show that the wire is encrypted")
    expect(output.count(" 0% packet loss") == 2, "it lost pings")
    demo.must_leave_nothing()
    return f"the demo takes {took_s:.1f} s"


def test_an_interrupted_demo_leaves_nothing_behind(world):
    whole = Demo(world)
    whole.end()
    total = whole.lines()
    for number in range(INTERRUPTIONS):
        demo = Demo(world)
        wanted = total * number // INTERRUPTIONS
        wait_until(f"{wanted} lines of the demo",
                   lambda d=demo, n=wanted: d.lines() >= n or not d.running(), 60, 0.01)
        demo.interrupt()
        demo.interrupt()  # A nervous user.
        status, _ = demo.end()
        expect(status != 0, f"an interrupted demo says it went well, at line {wanted}")
        demo.must_leave_nothing()


if __name__ == "__main__":
    run_cases(globals())
