"""Bad input of every kind: a clear word or a counted drop, never a crash.

    alice 192.168.10.10 ─┐
    bob   192.168.10.20 ─┼─ router ── boot (another network)
    eve                 ─┘
"""

import os
import sys
from pathlib import Path

from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.node import NETWORK, PORT, Node, node, start_together, trio
from rig.ping import ping

RIG = Path(__file__).resolve().parent / "rig"


def must_refuse(each: Node, status: int, *words, limit_s: float = 10) -> None:
    """The daemon ends by itself with this status and a message that has all the words."""
    process = each.launch()
    got = process.wait(limit_s)
    expect(got == status, f"status {got} instead of {status}: {process.last_line()}")
    missing = [word for word in words if word not in process.log()]
    expect(not missing, f"the message does not say {missing}: {process.log().strip()[-300:]}")


def test_a_wrong_configuration_is_refused_with_every_error_and_its_line(world):
    alice = Node(world.host("alice"))
    alice.configure("network:\n  name: n\n  address: 192.168.10.300/24\n  colour: red\n"
                    "log: {level: loud}\n", "192.168.10.10")
    must_refuse(alice, 2, "192.168.10.300", "colour", "loud", ":3:", ":4:", ":5:")
    check = alice.host.run(alice.build / "ipopd", "--config", alice.config, "--check", check=False)
    expect(check.returncode == 2, f"--check ended with {check.returncode}")


def test_a_missing_or_empty_configuration_is_refused(world):
    alice = Node(world.host("alice"))
    must_refuse(alice, 2, str(alice.config))
    alice.config.write_text("", encoding="utf-8")
    must_refuse(alice, 2, "network")


def test_check_accepts_what_init_wrote(world):
    alice = node(world, "alice", 10)
    alice.host.run(alice.build / "ipopd", "--config", alice.config, "--check")
    expect(not alice.has_interface(), "--check made an interface")


def test_init_does_not_overwrite(world):
    alice = node(world, "alice", 10)
    before = alice.config.read_bytes()
    again = alice.ipop("init", NETWORK, 11, "--config", alice.config, "--state", alice.state,
                       check=False)
    expect(again.returncode != 0, "the second init succeeded")
    expect(alice.config.read_bytes() == before, "the configuration was changed")


def test_a_taken_port_is_named(world):
    alice = node(world, "alice", 10)
    holder = alice.host.start("socat", "-u", f"UDP4-RECVFROM:{PORT},fork", "OPEN:/dev/null")
    wait_until("the port is held",
               lambda: f":{PORT} " in alice.host.run("ss", "-uln").stdout, 5)
    must_refuse(alice, 1, str(PORT))
    expect(not alice.has_interface(), "an interface is left behind")
    holder.kill()
    alice.start()


def test_an_interface_that_another_program_holds_is_named(world):
    alice = node(world, "alice", 10)
    holder = alice.host.start(sys.executable, RIG / "hold_tap.py", "tapipop", name="hold_tap")
    holder.wait_for_line("held", 5)
    must_refuse(alice, 1, "tapipop")
    holder.kill()
    alice.start()


def test_a_second_daemon_on_the_same_directories_is_refused(world):
    alice = node(world, "alice", 10)
    alice.start()
    first = alice.daemon
    must_refuse(alice, 1)
    first.must_run()
    alice.ipop("status")


def test_two_nodes_with_one_address_and_both_are_told(world):
    alice, bob, boot = trio(world)
    start_together(alice, bob)
    expect(ping(alice.host, bob.address, 5, wait_s=3).lost == 0, "pings were lost before")
    eve = node(world, "eve", 20, [boot.endpoint])  # Bob's address.
    # She learns of it from whichever of the two answers first, perhaps before tapipop is up.
    must_refuse(eve, 1, "192.168.10.20", "conflict", "bob", limit_s=30)
    expect(not eve.has_interface(), "eve left an interface behind")
    wait_until("bob is told of the conflict",
               lambda: "address conflict" in bob.daemon.log() and "eve" in bob.daemon.log(), 30)
    pings = ping(alice.host, bob.address, 10)
    expect(pings.lost == 0, "bob, who was first, lost pings")
    expect(alice.peer(bob.address)["hostname"] == "bob", "alice talks to eve")


def test_damaged_state_files_stop_the_start_clearly_or_are_set_aside(world):
    alice = node(world, "alice", 10)
    alice.start()
    alice.stop()
    files = sorted(path for path in alice.state.rglob("*") if path.is_file())
    expect(files, "no state files")
    for file in files:
        whole, mode = file.read_bytes(), file.stat().st_mode
        for damage in (b"", os.urandom(max(64, len(whole))), whole[:len(whole) // 2]):
            file.write_bytes(damage)
            file.chmod(mode)
            process = alice.launch()
            wait_until("an end or an interface",
                       lambda p=process: not p.running() or alice.has_interface(), 10)
            if process.running():
                alice.stop()
            else:
                status = process.wait(1)
                expect(status in (1, 2), f"{file.name} damaged: status {status}")
                expect(file.name in process.log(), f"the message does not name {file.name}: "
                                                   f"{process.last_line()}")
        file.write_bytes(whole)
        file.chmod(mode)
    alice.start()


def test_garbage_at_the_port_is_dropped_and_counted(world):
    alice, bob, _ = trio(world)
    start_together(alice, bob)
    expect(ping(alice.host, bob.address, 5, wait_s=3).lost == 0, "pings were lost before")
    eve = world.host("eve")
    before = sum(bob.status()["engine"]["drops"].values())
    eve.run(sys.executable, RIG / "garbage.py", bob.host.address, PORT, 20000, 1)
    bob.daemon.must_run()
    pings = ping(alice.host, bob.address, 20)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()} afterwards")
    drops = sum(bob.status()["engine"]["drops"].values()) - before
    expect(drops > 1000, f"only {drops} drops were counted")


def test_a_node_of_another_network_is_not_reached(world):
    alice, bob, boot = trio(world)
    eve = node(world, "eve", 30, [boot.endpoint], network="another_network")
    start_together(alice, bob, eve)
    expect(ping(alice.host, bob.address, 5, wait_s=3).lost == 0, "pings were lost before")
    pings = ping(alice.host, eve.address, 5, 1.0)
    expect(not pings.replies, "a node of another network answered")
    pings = ping(eve.host, alice.address, 5, 1.0)
    expect(not pings.replies, "alice answered a node of another network")


def test_a_wrong_secret_keeps_a_node_out(world):
    boot = node(world, "boot", 1, network="ipop_bootstrap_only")
    boot.start()
    alice = node(world, "alice", 10, [boot.endpoint], secret="right")
    bob = node(world, "bob", 20, [boot.endpoint], secret="right")
    eve = node(world, "eve", 30, [boot.endpoint], secret="wrong")
    start_together(alice, bob, eve)
    expect(ping(alice.host, bob.address, 5, wait_s=3).lost == 0, "the secret does not work")
    expect(not ping(eve.host, alice.address, 4, 1.0).replies, "a wrong secret works")


def test_nothing_is_left_after_an_end_by_signal(world):
    alice = node(world, "alice", 10)
    alice.start()
    alice.stop()
    expect(not alice.has_interface(), "tapipop is left behind")
    expect("tapipop" not in alice.host.run("ip", "link").stdout, "tapipop is left behind")
    expect(not alice.host.pids(), f"processes are left behind: {alice.host.pids()}")
    # The lock's file stays: whoever holds it open while another removes it would hold nothing.
    left = [path.name for path in alice.runtime.rglob("*") if path.name != "lock"]
    expect(not left, f"files are left in the runtime directory: {left}")
    alice.start()
    alice.daemon.kill()
    alice.start()  # A killed daemon's files do not stand in the way.


if __name__ == "__main__":
    run_cases(globals())
