"""What the daemon has given up once it runs, and that it does its work all the same.

    alice 192.168.10.10 ─ router ─ bob 192.168.10.20, boot (another network)
"""

import errno
import platform
import signal
from pathlib import Path

from rig import injected_call
from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.node import node, start_together, trio
from rig.ping import ping
from rig.traffic import transfer

# linux/capability.h
NET_ADMIN, IPC_LOCK = 1 << 12, 1 << 14
KEPT = {"CapInh": 0, "CapPrm": NET_ADMIN | IPC_LOCK, "CapEff": NET_ADMIN | IPC_LOCK,
        "CapBnd": NET_ADMIN | IPC_LOCK, "CapAmb": 0}
# What a processor of this kind calls them: x86-64.
GETPID, SOCKET, EXECVE, UNSHARE, MOUNT, PTRACE, BPF = 39, 41, 59, 272, 165, 101, 321
AF_PACKET, SOCK_RAW = 17, 3


def two(world):
    alice, bob, _ = trio(world)
    start_together(alice, bob)
    expect(ping(alice.host, bob.address, 5, wait_s=3).lost == 0, "pings were lost")
    return alice, bob


def status_of(thread: Path) -> dict:
    lines = (thread / "status").read_text(encoding="ascii").splitlines()
    return {key: value.strip() for key, value in (line.split(":", 1) for line in lines)}


def must_be_confined(pid: int) -> int:
    threads = list(Path(f"/proc/{pid}/task").iterdir())
    expect(len(threads) > 2, f"it has {len(threads)} threads")
    for thread in threads:
        status = status_of(thread)
        who = f"thread {status['Name']}"
        for line, kept in KEPT.items():
            has = int(status[line], 16)
            expect(has == kept, f"{who} has {line} {has:#x} instead of {kept:#x}")
        expect(status["NoNewPrivs"] == "1", f"{who} may gain privileges")
        expect(status["Seccomp"] == "2", f"{who} makes every system call")
    return len(threads)


def test_every_thread_of_a_running_daemon_is_confined(world):
    alice, bob = two(world)
    count = must_be_confined(alice.daemon.pid)
    hardening = alice.status()["hardening"]
    expect(hardening["capabilities"] == ["net_admin", "ipc_lock"],
           f"status says {hardening}")
    expect(hardening["no_new_privileges"] and hardening["system_calls_filtered"],
           f"status says {hardening}")
    expect(not hardening["memory_readable"], f"status says {hardening}")
    core = Path(f"/proc/{alice.daemon.pid}/limits").read_text(encoding="ascii")
    expect("Max core file size        0                    0 " in core, f"limits are {core}")
    transfer(alice.host, bob.host, bob.address, 16)
    return f"{count} threads"


def test_routes_sessions_and_reload_need_nothing_that_was_given_up(world):
    alice, bob = two(world)
    # A new peer, of whom everything is made after the daemon gave its rights up.
    carol = node(world, "carol", 30, [alice.endpoint])
    carol.start()
    expect(ping(alice.host, carol.address, 5, wait_s=3).lost == 0, "pings to carol were lost")
    for how in (lambda: alice.ipop("reload"), lambda: alice.daemon.signal(signal.SIGHUP)):
        text = alice.config.read_text(encoding="utf-8").split("\nfirewall:")[0]
        alice.config.write_text(text + "\nfirewall: {default_inbound: deny}\n", encoding="utf-8")
        how()
        wait_until("the firewall is on", lambda: alice.status()["firewall"]["on"], 5)
        alice.config.write_text(text + "\n", encoding="utf-8")
        how()
        wait_until("the firewall is off", lambda: not alice.status()["firewall"]["on"], 5)
    expect(ping(bob.host, alice.address, 5, wait_s=3).lost == 0, "pings after it were lost")
    must_be_confined(alice.daemon.pid)
    # State is written and the interface taken away at the end.
    alice.stop()
    expect(not alice.has_interface(), "the interface is left")
    expect((alice.state / "peers.json").exists(), "peers were not remembered")
    expect("WARN" not in alice.daemon.log().upper(), f"the log says {alice.daemon.log()}")


def test_a_refused_call_fails_in_every_thread_and_the_daemon_goes_on(world):
    if not injected_call.AVAILABLE:
        return f"skipped: injects system calls on x86-64 alone, and this is {platform.machine()}"
    alice, bob = two(world)
    refused = {"execve": (EXECVE, 0, 0, 0), "unshare": (UNSHARE, 0), "mount": (MOUNT, 0, 0, 0, 0),
               "ptrace": (PTRACE, 0, 0, 0, 0), "bpf": (BPF, 0, 0, 0)}
    for thread, name in injected_call.threads_of(alice.daemon.pid).items():
        # What is allowed shows that calls are made at all.
        got = injected_call.result_in(thread, GETPID)
        expect(got == alice.daemon.pid, f"getpid in {name} says {got}")
        for call, words in refused.items():
            got = injected_call.result_in(thread, *words)
            expect(got == -errno.EPERM, f"{call} in {name} says {got}")
        got = injected_call.result_in(thread, SOCKET, AF_PACKET, SOCK_RAW, 0)
        expect(got == -errno.EAFNOSUPPORT, f"a packet socket in {name} says {got}")
    transfer(alice.host, bob.host, bob.address, 4)
    # The same calls reach the kernel in a process without a filter.
    other = alice.host.start("iperf3", "-s", "--forceflush")
    other.wait_for_line("listening", 5)
    got = injected_call.result_in(other.pid, UNSHARE, 0)
    expect(got == 0, f"unshare in a process like others says {got}")


if __name__ == "__main__":
    run_cases(globals())
