"""Asks the agent in a guest (guest/agent.sh) to run shell scripts, by a serial line that QEMU shows
as a socket here."""

import base64
import socket
import subprocess
import threading
import time
from pathlib import Path

from rig.conditions import Failure

# Beyond what the guest itself allows: emulation is slow, and so may this machine be.
GRACE_S = 20


class AgentLine:
    def __init__(self, path: Path):
        self._path = path
        self._socket = None
        self._unread = b""
        self._orders = 0
        self._lock = threading.Lock()

    def connect(self, limit_s: float, must_run) -> None:
        """At once, or its first word is lost; `must_run()` raises when nobody is there."""
        deadline = time.monotonic() + limit_s
        while self._socket is None:
            must_run()
            attempt = socket.socket(socket.AF_UNIX)
            try:
                attempt.connect(str(self._path))
                self._socket = attempt
            except OSError:
                attempt.close()
                if time.monotonic() > deadline:
                    raise Failure(f"no guest at {self._path}") from None
                time.sleep(0.02)

    def await_ready(self, limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        while not self._line(deadline).endswith(b"ready"):
            pass

    def run(self, script: str, limit_s: float) -> subprocess.CompletedProcess:
        """Several threads may ask; the guest does one thing after another."""
        with self._lock:
            self._orders += 1
            order = str(self._orders)
            text = base64.b64encode(script.encode()).decode()
            self._socket.sendall(f"{order} {limit_s:.0f} {text}\n".encode())
            deadline = time.monotonic() + limit_s + GRACE_S
            while True:
                words = self._line(deadline).decode(errors="replace").split()
                if len(words) == 4 and words[0] == order:
                    break
        printed, complained = (base64.b64decode(word[1:]).decode(errors="replace")
                               for word in words[2:])
        return subprocess.CompletedProcess(script, int(words[1]), printed, complained)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._unread:
            self._socket.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                more = self._socket.recv(65536)
            except TimeoutError:
                raise Failure(f"the guest at {self._path} does not answer") from None
            except ConnectionResetError:
                more = b""
            if not more:
                raise Failure(f"the guest at {self._path} ended")
            self._unread += more
        line, _, self._unread = self._unread.partition(b"\n")
        return line.strip()
