"""Runs one command with a time limit, its output in a file, and nothing of it left behind."""

import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

# What a command gets between SIGTERM and SIGKILL: time to remove namespaces.
GRACE_S = 15


@dataclass
class Outcome:
    status: int  # as a shell gives it: negative numbers are signals
    timed_out: bool
    seconds: float
    output: str

    @property
    def ok(self) -> bool:
        return self.status == 0 and not self.timed_out

    def why(self) -> str:
        if self.timed_out:
            return f"still running after {self.seconds:.0f} s"
        if self.status < 0:
            return f"ended by {signal.Signals(-self.status).name}"
        return f"exit status {self.status}"

    def tail(self, lines: int = 40) -> str:
        return "\n".join("    | " + line for line in self.output.splitlines()[-lines:])


def run(command, log: Path, limit_s: float, env=None, cwd=None) -> Outcome:
    """Runs `command` in a process group of its own; ends the whole group at the limit."""
    log.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    timed_out = False
    environment = dict(os.environ, **(env or {}))
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
            stderr=subprocess.STDOUT, env=environment, cwd=cwd, start_new_session=True)
        try:
            process.wait(limit_s)
        except subprocess.TimeoutExpired:
            timed_out = True
        finally:
            _end_group(process)
    text = log.read_text(encoding="utf-8", errors="replace")
    return Outcome(process.returncode, timed_out, time.monotonic() - started, text)


def _end_group(process: subprocess.Popen) -> None:
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            pass
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
