"""tcpdump of one interface, for what is searched in it afterwards."""

import signal

from rig.capture_file import frames
from rig.conditions import expect
from rig.world import Host

UDP = 17


class Capture:
    def __init__(self, host: Host, interface: str):
        self.name = f"{interface} of {host.name}"
        self._file = host.directory / f"{interface}.pcap"
        self._process = host.start("tcpdump", "-i", interface, "-U", "-n", "-s", "0", "-B", 20000,
                                   "--immediate-mode", "-w", self._file, name=f"dump-{interface}")
        self._process.wait_for_line("listening on", 5)

    def contains(self, needle: bytes) -> bool:
        """While it runs, too."""
        return needle in self._file.read_bytes()

    def finish(self) -> bytes:
        """All that was captured; fails if something was missed."""
        self._process.signal(signal.SIGINT)
        self._process.wait(5)
        expect("\n0 packets dropped by kernel" in self._process.log(),
               f"tcpdump missed packets: {self._process.log()}")
        return self._file.read_bytes()


def first_bytes_of_datagrams(capture: bytes) -> set:
    """Of UDP over IPv4."""
    found = set()
    for frame in frames(capture):
        if frame[12:14] == b"\x08\x00" and frame[23] == UDP:
            found |= set(frame[14 + (frame[14] & 15) * 4 + 8:][:1])
    return found
