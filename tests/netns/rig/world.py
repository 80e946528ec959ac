"""A small internet for one test: hosts, each in its own namespace, around one router.

    host 10.9.1.2 ── 10.9.1.1 ┐
    host 10.9.2.2 ── 10.9.2.1 ┤ router
    host 10.9.3.2 ── 10.9.3.1 ┘

Every name carries a prefix of this run. Leaving the `with` block, also by an exception or a signal,
ends every process in the namespaces and removes them and the directory. No interface is ever made
outside them.
"""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from rig.process import Process

NETNS_DIRECTORY = Path("/run/netns")
COMMAND_LIMIT_S = 60


def run(*command, check=True, limit_s=COMMAND_LIMIT_S, env=None) -> subprocess.CompletedProcess:
    """Runs a command to its end; its output is text. A failure says what the command printed."""
    words = [str(word) for word in command]
    outcome = subprocess.run(words, capture_output=True, text=True, timeout=limit_s, env=env,
                             stdin=subprocess.DEVNULL, check=False)
    if check and outcome.returncode != 0:
        raise RuntimeError(f"{' '.join(words)}: status {outcome.returncode}: "
                           f"{(outcome.stderr or outcome.stdout).strip()}")
    return outcome


class Host:
    """A machine: one namespace with `lo` and `eth0`, and a directory for its files."""

    def __init__(self, name: str, namespace: str, directory: Path, address: str):
        self.name = name
        self.namespace = namespace
        self.directory = directory
        self.address = address

    def run(self, *command, **options) -> subprocess.CompletedProcess:
        return run("ip", "netns", "exec", self.namespace, *command, **options)

    def start(self, *command, name="", env=None) -> Process:
        """Starts a process; `ip netns exec` becomes the command, so the pid is the command's."""
        words = [str(word) for word in command]
        name = name or Path(words[0]).name
        return Process(f"{name} on {self.name}", ["ip", "netns", "exec", self.namespace, *words],
                       self.directory / f"{name}.log", env)

    def pids(self) -> list:
        return namespace_pids(self.namespace)


def unwind_on_signals() -> None:
    """SIGINT and SIGTERM leave all `with` blocks; once that has begun, further ones do nothing."""
    def unwind(number, _frame):
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, unwind)


class World:
    def __init__(self):
        # Nothing is made before __enter__ has returned: an interrupted one would not be undone.
        prefix = os.environ.get("IPOP_TEST_PREFIX") or f"ipop-{os.getpid()}-"
        self.prefix = f"{prefix}{secrets.token_hex(3)}-"
        self.directory = Path(tempfile.gettempdir()) / f"{self.prefix}files"
        self.hosts = []
        self._router = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def host(self, name: str) -> Host:
        """A new host with its own subnet at the router."""
        router = self.router().namespace
        number = len(self.hosts) + 1
        host = self._make_namespace(name, f"10.9.{number}.2")
        self.hosts.append(host)
        link = self.link_of(host)
        run("ip", "-n", router, "link", "add", link, "type", "veth",
            "peer", "name", "eth0", "netns", host.namespace)
        run("ip", "-n", router, "address", "add", f"10.9.{number}.1/24", "dev", link)
        run("ip", "-n", router, "link", "set", link, "up")
        run("ip", "-n", host.namespace, "address", "add", f"{host.address}/24", "dev", "eth0")
        run("ip", "-n", host.namespace, "link", "set", "eth0", "up")
        run("ip", "-n", host.namespace, "route", "add", "default", "via", f"10.9.{number}.1")
        return host

    def inner_host(self, name: str, address: str) -> Host:
        """A new host that somebody else connects; its interface is to be eth0."""
        host = self._make_namespace(name, address)
        self.hosts.append(host)
        return host

    def router(self) -> Host:
        if self._router is None:
            self._router = self._make_namespace("router", "")
            self._router.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        return self._router

    def link_of(self, host: Host) -> str:
        """The router's interface towards the host."""
        return f"to-{host.address.split('.')[2]}"

    @contextlib.contextmanager
    def logs_shown_on_failure(self, lines: int = 25):
        try:
            yield
        except Exception:
            for log in sorted(self.directory.glob("*/*.log")):
                text = log.read_text(encoding="utf-8", errors="replace").splitlines()
                print(f"    -- {log.parent.name}/{log.name}, {len(text)} lines")
                for line in text[-lines:]:
                    print(f"    | {line}")
            raise

    def cable(self, name: str, other: str) -> tuple:
        """Two new hosts joined by one veth pair and nothing else."""
        number = 100 + len(self.hosts)
        ends = [self._make_namespace(each, f"10.9.{number}.{last}")
                for each, last in ((name, 1), (other, 2))]
        run("ip", "-n", ends[0].namespace, "link", "add", "eth0", "type", "veth",
            "peer", "name", "eth0", "netns", ends[1].namespace)
        for end in ends:
            self.hosts.append(end)
            run("ip", "-n", end.namespace, "address", "add", f"{end.address}/24", "dev", "eth0")
            run("ip", "-n", end.namespace, "link", "set", "eth0", "up")
        return tuple(ends)

    def close(self) -> None:
        """Must not be interrupted: see unwind_on_signals."""
        sweep(self.prefix)
        self._keep_logs()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _make_namespace(self, name: str, address: str) -> Host:
        host = Host(name, self.prefix + name, self.directory / name, address)
        host.directory.mkdir(parents=True, mode=0o755)
        run("ip", "netns", "add", host.namespace)
        # Every address is meant to be there at once. A router's own link-local one would search
        # for duplicates for a second or two, and until then it finds no IPv6 neighbour.
        host.run("sysctl", "-qw", "net.ipv6.conf.default.accept_dad=0",
                 "net.ipv6.conf.all.accept_dad=0")
        run("ip", "-n", host.namespace, "link", "set", "lo", "up")
        return host

    def _keep_logs(self) -> None:
        target = os.environ.get("IPOP_TEST_LOGS")
        for log in self.directory.glob("*/*.log") if target else ():
            kept = Path(target) / self.prefix.rstrip("-") / log.parent.name / log.name
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(log, kept)


def namespace_pids(namespace: str) -> list:
    outcome = run("ip", "netns", "pids", namespace, check=False)
    return [int(pid) for pid in outcome.stdout.split()]


def namespaces_with(prefix: str) -> list:
    return sorted(path.name for path in NETNS_DIRECTORY.glob(prefix + "*"))


def sweep(prefix: str, grace_s: float = 3) -> list:
    """Ends every process in namespaces of this prefix and removes them; returns their names."""
    found = namespaces_with(prefix)
    for number, limit_s in ((signal.SIGTERM, grace_s), (signal.SIGKILL, grace_s)):
        pids = [pid for name in found for pid in namespace_pids(name)]
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        _await_end(found, limit_s if pids else 0)
    for name in found:
        run("ip", "netns", "delete", name, check=False)
    return found


def _await_end(names: list, limit_s: float) -> None:
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline and any(_alive(name) for name in names):
        time.sleep(0.03)


def _alive(namespace: str) -> bool:
    """Whether a process that has not ended yet is in the namespace (a zombie has)."""
    for pid in namespace_pids(namespace):
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            continue
        if state[0] != "Z":
            return True
    return False
