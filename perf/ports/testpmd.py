"""dpdk-testpmd, Debian's own: one core takes frames of 64 bytes, 32 at a time, and sends them on.

    net_ring     one port, whose rings are its own other end: 32 frames go round
    net_memif    two ports of one process, client and server over a socket: what one sends comes to
                 the other. 32 frames go round in each direction
"""

import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

PROGRAM = "dpdk-testpmd"
PACKAGE = "dpdk-dev"
PORTS = ("net_ring", "net_memif")
MODES = ("io", "mac")
# Frames received a second, of one port.
RATE = re.compile(r"Rx-pps:\s+(\d+)")
PROMPT = "testpmd>"
LIMIT_S = 20


def missing() -> str:
    """Why it cannot be run; empty if it can."""
    return "" if shutil.which(PROGRAM) else f"{PROGRAM} is not installed ({PACKAGE})"


def devices(ports: str, folder: Path) -> list:
    if ports == "net_ring":
        return ["net_ring0"]
    rest = f"socket={folder}/memif.sock,socket-abstract=no"
    return [f"net_memif{number},{rest},role={role}"
            for number, role in enumerate(("server", "client"))]


def command(ports: str, folder: Path, hugepages: bool) -> list:
    cpus = ",".join(map(str, sorted(os.sched_getaffinity(0))))
    memory = ["--in-memory"] if hugepages else ["--no-huge", "--no-shconf", "-m", "256"]
    vdevs = [f"--vdev={device}" for device in devices(ports, folder)]
    return [PROGRAM, *memory, "--no-pci", "--no-telemetry",
            f"--file-prefix=ipop-bench-{os.getpid()}",
            # Neither the thread that forwards nor the one that waits is bound to a processor, as
            # those of pps are not.
            f"--lcores=(0,1)@({cpus})", *vdevs,
            "--", "--interactive", "--nb-cores=1", "--burst=32", "--total-num-mbufs=4096"]


def forwarding_ns(ports: str, mode: str, hugepages: bool, seconds: float) -> float:
    """Nanoseconds a frame."""
    with tempfile.TemporaryDirectory(prefix="ipop-testpmd-") as folder:
        said = Path(folder) / "said"
        with said.open("w", encoding="utf-8") as into, subprocess.Popen(
                command(ports, Path(folder), hugepages), stdin=subprocess.PIPE, stdout=into,
                stderr=subprocess.STDOUT, text=True) as process:
            try:
                converse(process, said, mode, seconds)
            except (RuntimeError, OSError) as error:
                raise RuntimeError(f"{PROGRAM}: {error}; it said: {said.read_text()[-500:]}") \
                    from None
            finally:
                process.kill()
        return ns_of(said.read_text(encoding="utf-8"), len(devices(ports, Path(folder))))


def converse(process, said: Path, mode: str, seconds: float) -> None:
    def say(*lines: str) -> None:
        for line in lines:
            process.stdin.write(line + "\n")
        process.stdin.flush()

    def await_prompts(count: int) -> None:
        until = time.monotonic() + LIMIT_S
        while said.read_text(encoding="utf-8").count(PROMPT) < count:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("it does not answer")
            time.sleep(0.02)

    await_prompts(1)
    # A client of memif offers its server no buffers before it is polled for the first time.
    say(f"set fwd {mode}", "start")
    time.sleep(0.2)
    say("stop", "start tx_first 1")
    time.sleep(0.2)
    # Its rates are those since it was last asked.
    say("show port stats all")
    time.sleep(seconds)
    say("show port stats all", "stop", "quit")
    if process.wait(LIMIT_S) != 0:
        raise RuntimeError(f"it ended with {process.returncode}")


def ns_of(said: str, ports: int) -> float:
    """Of the last figures that it showed of each port."""
    rates = [int(rate) for rate in RATE.findall(said)]
    if len(rates) < 2 * ports:
        raise RuntimeError(f"{PROGRAM} showed {len(rates)} rates")
    total = sum(rates[-ports:])
    if total == 0:
        raise RuntimeError(f"{PROGRAM} forwarded nothing")
    return 1e9 / total
