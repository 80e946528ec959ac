"""The machines of one test, and the cables between them.

Leaving the `with` block, also by an exception or a signal, ends all of them. Nothing of it is an
interface, a namespace or a file of this machine's, but for one directory of sockets and logs.
"""

import contextlib
import os
import secrets
import shutil
import tempfile
from pathlib import Path

from lab.card import Card
from lab.guest import Guest
from lab.image import Image

IOMMU = ("-device", "intel-iommu,intremap=on")
HUGEPAGES = 128  # of 2 MiB
# Where a card stands unless it is behind a port that it can be pulled out of.
CARD_ADDRESS = "0000:00:04.0"
PLUGGED_ADDRESS = "0000:01:00.0"


class Lab:
    def __init__(self):
        prefix = os.environ.get("IPOP_TEST_PREFIX") or f"ipop-{os.getpid()}-"
        # Short: the names of sockets are.
        self.directory = Path(tempfile.gettempdir()) / f"{prefix}{secrets.token_hex(3)}"
        self.guests = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for guest in self.guests:
            guest.stop()
        self._keep_logs()
        shutil.rmtree(self.directory, ignore_errors=True)

    def guest(self, name: str, card: Card | None, iommu=True, hugepages=HUGEPAGES, cpu="max",
              plugged=False, memory_mb=768) -> Guest:
        """A new machine, booting. It and the next one are the two ends of a cable; its address on
        that is for whoever configures it."""
        number = len(self.guests) + 1
        directory = self.directory / name
        directory.mkdir(parents=True)
        guest = Guest(name, directory, f"10.77.0.{number}")
        self.guests.append(guest)
        devices = [*(IOMMU if iommu else ()), *self._cable(card, number, plugged)]
        arguments = [f"hugepages={hugepages}"] if hugepages else []
        arguments += ["intel_iommu=on"] if iommu else []
        guest.boot(Image(), devices, " ".join(arguments), cpu, memory_mb)
        return guest

    def pair(self, card: Card, other: Card | None = None, **options) -> tuple:
        """alice and bob, ready."""
        guests = (self.guest("alice", card, **options), self.guest("bob", other or card, **options))
        for guest in guests:
            guest.await_boot()
        return guests

    def _cable(self, card: Card | None, number: int, plugged: bool) -> list:
        if card is None:
            return []
        end, other_end = (number - 1) % 2, number % 2
        cable = self.directory / f"cable{(number - 1) // 2}"
        place = "bus=pcie.0,addr=4"
        port = []
        if plugged:
            port = ["-device", "pcie-root-port,id=rootport,bus=pcie.0,chassis=1,addr=5"]
            place = "bus=rootport"
        return [*port,
                "-netdev", f"dgram,id=cable,local.type=unix,local.path={cable}.{end},"
                           f"remote.type=unix,remote.path={cable}.{other_end}",
                "-device", f"{card.device},id=card,netdev=cable,mac=52:54:00:00:0a:0{number},"
                           f"{place}"]

    @contextlib.contextmanager
    def logs_shown_on_failure(self, lines: int = 15):
        try:
            yield
        except Exception:
            for guest in self.guests:
                with contextlib.suppress(Exception):  # it may be what has failed
                    for job in guest.jobs:
                        print(f"    -- {job.name}")
                        _show(job.log(), lines)
                    print(f"    -- the kernel of {guest.name}")
                    _show(guest.console(), lines)
            raise

    def _keep_logs(self) -> None:
        keep = os.environ.get("IPOP_TEST_LOGS")
        if not keep:
            return
        for log in self.directory.glob("*/*.log"):
            target = Path(keep) / log.parent.name
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(log, target)


def _show(text: str, lines: int) -> None:
    for line in text.strip().splitlines()[-lines:]:
        print(f"    | {line}")
