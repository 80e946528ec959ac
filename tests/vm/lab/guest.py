"""A virtual machine of this test: emulated as a whole by QEMU, so that it needs neither KVM nor
root, and joined to others by sockets alone.

It has the face of rig.world.Host, so what runs in namespaces runs in it, too.
"""

import contextlib
import shlex
import signal
import subprocess
from pathlib import Path

from lab.agent_line import AgentLine
from lab.card import Card
from lab.image import Image
from lab.monitor import Monitor
from rig.conditions import Failure, wait_until

QEMU_LIMIT_S = 20
BOOT_LIMIT_S = 60
LIFE_LIMIT_S = 300
# hpet, the clock without these, is slow to read under emulation.
KERNEL_ARGUMENTS = "console=ttyS0 quiet panic=-1 clocksource=tsc tsc=reliable"
COMMAND_LIMIT_S = 60
TICKS = 100


class Guest:
    def __init__(self, name: str, directory: Path, address: str = ""):
        self.name = name
        self.directory = directory  # on this machine
        self.address = address      # on the wire
        self.jobs = []
        self._agent = AgentLine(directory / "agent")
        self._monitor = None
        self._qemu = None

    def boot(self, image: Image, devices: list, kernel_arguments: str, cpu: str,
             memory_mb: int) -> None:
        """Starts QEMU; await_boot() waits for the guest."""
        command = [
            "timeout", "-k", "5", str(LIFE_LIMIT_S), "qemu-system-x86_64", "-machine", "q35",
            "-accel", "tcg", "-cpu", cpu, "-smp", "1", "-m", str(memory_mb),
            "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            "-serial", f"file:{self.directory}/console.log",
            "-serial", f"unix:{self.directory}/agent,server=on,wait=off",
            "-qmp", f"unix:{self.directory}/monitor,server=on,wait=off",
            "-kernel", str(image.kernel), "-initrd", str(image.initramfs),
            "-append", f"{KERNEL_ARGUMENTS} guest={self.name} {kernel_arguments}", *devices]
        with open(self.directory / "qemu.log", "wb") as log:
            self._qemu = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                          stderr=subprocess.STDOUT)
        self._agent.connect(QEMU_LIMIT_S, self._must_run)

    def await_boot(self) -> None:
        try:
            self._agent.await_ready(BOOT_LIMIT_S)
        except Failure:
            self._must_run()
            raise

    @property
    def monitor(self) -> Monitor:
        if self._monitor is None:
            self._monitor = Monitor(self.directory / "monitor")
        return self._monitor

    def run(self, *command, check=True, limit_s=COMMAND_LIMIT_S) -> subprocess.CompletedProcess:
        """Runs a command to its end; its output is text."""
        return self.script(shlex.join(str(word) for word in command), check, limit_s)

    def script(self, text: str, check=True, limit_s=COMMAND_LIMIT_S):
        outcome = self._agent.run(text, limit_s)
        if check and outcome.returncode != 0:
            raise RuntimeError(f"{self.name}: {text}: status {outcome.returncode}: "
                               f"{(outcome.stderr or outcome.stdout).strip()}")
        return outcome

    def start(self, *command, name="") -> "Job":
        job = Job(self, [str(word) for word in command], name or Path(str(command[0])).name)
        self.jobs.append(job)
        return job

    def write(self, path: str, text: str) -> None:
        self.script(f"cat > {shlex.quote(path)} <<'END_OF_FILE'\n{text}\nEND_OF_FILE\n")

    def take_address(self, card: Card) -> None:
        """Its address on the wire, by the kernel's driver."""
        self.script(f"modprobe virtio_pci; modprobe {card.kernel_module}; ip link set eth0 up; "
                    f"ip address add {self.address}/24 dev eth0")

    def console(self) -> str:
        """What the kernel said."""
        file = self.directory / "console.log"
        return file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""

    def stop(self) -> None:
        self._agent.close()
        if self._monitor is not None:
            self._monitor.close()
        if self._qemu is not None:
            self._qemu.terminate()  # timeout passes it on
            self._qemu.wait()

    def _must_run(self) -> None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._qemu.wait(0.1)  # its line may end before it does
        if self._qemu.returncode is not None:
            said = (self.directory / "qemu.log").read_text(encoding="utf-8", errors="replace")
            raise Failure(f"QEMU for {self.name} ended with {self._qemu.returncode}: "
                          f"{said.strip()[-300:]}")


class Job:
    """A process in a guest, with the face of rig.process.Process."""

    def __init__(self, guest: Guest, command: list, name: str):
        self.name = f"{name} on {guest.name}"
        self._guest = guest
        self._directory = f"/run/job/{name}"
        self.pid = int(guest.run("start_job", self._directory, *command).stdout)

    def log(self) -> str:
        return self._guest.run("cat", f"{self._directory}/log").stdout

    def status(self):
        """Its exit status, as a shell gives it; None while it runs."""
        text = self._guest.run("cat", f"{self._directory}/status", check=False).stdout.strip()
        return int(text) if text else None

    def running(self) -> bool:
        return self.status() is None

    def must_run(self) -> None:
        if (status := self.status()) is not None:
            raise Failure(f"{self.name} ended with {status}: {self.last_line()}")

    def last_line(self) -> str:
        lines = self.log().strip().splitlines()
        return lines[-1] if lines else "(it printed nothing)"

    def wait(self, limit_s: float) -> int:
        wait_until(f"the end of {self.name}", lambda: not self.running(), limit_s, 0.1)
        return self.status()

    def signal(self, number: int) -> None:
        self._guest.run("kill", f"-{int(number)}", self.pid, check=False)

    def stop(self, limit_s: float = 10) -> int:
        self.signal(signal.SIGTERM)
        return self.wait(limit_s)

    def wait_for_line(self, text: str, limit_s: float) -> str:
        def found():
            line = next((line for line in self.log().splitlines() if text in line), None)
            if line is None:
                self.must_run()
            return line
        return wait_until(f'"{text}" in the log of {self.name}', found, limit_s, 0.1)

    def cpu_s(self) -> float:
        """Processor time used so far, of all threads."""
        text = self._guest.run("cat", f"/proc/{self.pid}/stat").stdout
        fields = text.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
