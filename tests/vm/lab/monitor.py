"""QEMU's monitor, to pull cables and cards: its machine protocol, QMP."""

import json
import socket
import time
from pathlib import Path

from rig.conditions import Failure

ANSWER_S = 20


class Monitor:
    def __init__(self, path: Path):
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._lines = self._socket.makefile("r", encoding="utf-8")
        self._events = []
        self._read(ANSWER_S)  # its greeting
        self.order("qmp_capabilities")

    def order(self, command: str, **arguments) -> dict:
        text = json.dumps({"execute": command, "arguments": arguments})
        self._socket.sendall(text.encode())
        while True:
            answer = self._read(ANSWER_S)
            if "error" in answer:
                raise Failure(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
            self._events.append(answer)

    def await_event(self, name: str, limit_s: float) -> None:
        deadline = time.monotonic() + limit_s
        while not any(event.get("event") == name for event in self._events):
            self._events.append(self._read(max(0.01, deadline - time.monotonic())))

    def close(self) -> None:
        self._lines.close()
        self._socket.close()

    def _read(self, limit_s: float) -> dict:
        self._socket.settimeout(limit_s)
        try:
            line = self._lines.readline()
        except TimeoutError:
            raise Failure(f"QEMU's monitor said nothing for {limit_s:.0f} s") from None
        if not line:
            raise Failure("QEMU ended")
        return json.loads(line)
