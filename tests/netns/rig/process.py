"""One process in a namespace: its log, its end, and what it uses of the machine."""

import os
import signal
import subprocess
from pathlib import Path

from rig.conditions import Failure, wait_until

TICKS = os.sysconf("SC_CLK_TCK")


class Process:
    def __init__(self, name: str, command: list, log: Path, env=None):
        self.name = name
        self.log_file = log
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab") as output:
            self._popen = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
                env=env, start_new_session=True)
        self.pid = self._popen.pid

    def log(self) -> str:
        return self.log_file.read_text(encoding="utf-8", errors="replace")

    def running(self) -> bool:
        return self._popen.poll() is None

    def must_run(self) -> None:
        if not self.running():
            raise Failure(f"{self.name} ended with {self._popen.returncode}: {self.last_line()}")

    def last_line(self) -> str:
        lines = self.log().strip().splitlines()
        return lines[-1] if lines else "(it printed nothing)"

    def wait(self, limit_s: float) -> int:
        """Waits for the end; returns the exit status, negative for a signal."""
        try:
            return self._popen.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise Failure(f"{self.name} still runs after {limit_s:g} s") from None

    def signal(self, number: int) -> None:
        if self.running():
            self._popen.send_signal(number)

    def stop(self, limit_s: float = 5) -> int:
        """Asks it to end, and insists; returns the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait(limit_s)

    def kill(self) -> None:
        self.signal(signal.SIGKILL)
        self._popen.wait()

    def wait_for_line(self, text: str, limit_s: float) -> str:
        """The first line of the log that contains `text`."""
        def found():
            line = next((line for line in self.log().splitlines() if text in line), None)
            if line is None:
                self.must_run()
            return line
        return wait_until(f'"{text}" in the log of {self.name}', found, limit_s)

    def cpu_s(self) -> float:
        return cpu_s(self.pid)

    def thread_cpu_s(self) -> dict:
        """Name → processor time used so far by the threads of that name."""
        return thread_cpu_s(self.pid)

    def rss_mb(self) -> float:
        return rss_mb(self.pid)

    def threads(self) -> dict:
        """Name → the processors that it may run on, a set of numbers."""
        return threads(self.pid)


def threads(pid: int) -> dict:
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        status = (task / "status").read_text(encoding="ascii")
        lines = dict(line.split(":", 1) for line in status.splitlines())
        processors = set()
        for part in lines["Cpus_allowed_list"].strip().split(","):
            first, _, last = part.partition("-")
            processors |= set(range(int(first), int(last or first) + 1))
        found[lines["Name"].strip()] = processors
    return found


def cpu_s(pid: int) -> float:
    """Processor time used so far, of all threads."""
    return _cpu_s_of(Path(f"/proc/{pid}/stat"))


def thread_cpu_s(pid: int) -> dict:
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        name = (task / "comm").read_text(encoding="ascii").strip()
        found[name] = found.get(name, 0) + _cpu_s_of(task / "stat")
    return found


def _cpu_s_of(stat: Path) -> float:
    fields = stat.read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def rss_mb(pid: int) -> float:
    """Memory in use, huge pages included."""
    total = 0
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(("VmRSS:", "HugetlbPages:")):
            total += int(line.split()[1])
    return total / 1024
