"""Several lcores, between nodes that have as many, fewer, or know nothing of lanes.

    alice 192.168.10.10 (10.9.1.2), lcores 2 ─┐
    bob   192.168.10.20 (10.9.2.2), lcores … ─┼─ router
    wg    wireguard-go 192.168.10.30         ─┘
"""

import json
import re
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from load_test import must_balance
from rig.cases import SOAK, run_cases
from rig.conditions import expect, wait_until
from rig.node import NETWORK, PORT, Node
from rig.ping import ping
from rig.traffic import IperfServer, tcp_mbit, transfer, udp_received_pps
from rig.wireguard import WireGuardHost

SECONDS = 30 if SOAK else 1
ORDERED_FLOWS = Path(__file__).parent / "rig" / "ordered_flows.py"
FLOWS, EACH = 32, 4000 if SOAK else 400


def configured(host, octet: int, engine: str, bootstrap: str, more: str = "") -> Node:
    made = Node(host)
    made.init(octet)  # for its key
    made.configure(
        f"network: {{name: {NETWORK}, address: 192.168.10.{octet}/24, hostname: {host.name}}}\n"
        f'overlay:\n  listen: ["0.0.0.0:{PORT}"]\n  bootstrap: ["{bootstrap}"]\n{more}'
        f"engine: {{{engine}}}\n", f"192.168.10.{octet}")
    made.start()
    return made


def pair(world, engine_alice: str, engine_bob: str) -> tuple:
    alice = configured(world.host("alice"), 10, engine_alice, "127.0.0.1:9")
    bob = configured(world.host("bob"), 20, engine_bob, alice.endpoint)
    pings = ping(alice.host, bob.address, 20, wait_s=5)
    expect(pings.lost == 0, f"{pings.lost} of {pings.sent} pings were lost")
    return alice, bob


def must_carry(alice: Node, bob: Node, drops_allowed: tuple = ()) -> str:
    server = IperfServer(bob.host, bob.address)
    forth = tcp_mbit(alice.host, server, SECONDS, 8)
    back = tcp_mbit(alice.host, server, SECONDS, 8, "-R")
    pps = udp_received_pps(alice.host, server, SECONDS, 200)
    transfer(alice.host, bob.host, bob.address, 5)
    transfer(bob.host, alice.host, alice.address, 5)
    for each in (alice, bob):
        must_balance(each)
        drops = each.status()["engine"]["drops"]
        for name in ("wire_replayed", "wire_forged", "wire_unknown_session", "handover_full"):
            expect(drops[name] == 0 or name in drops_allowed,
                   f"{each.name} drops {drops[name]} as {name}")
    return f"{forth:.0f} and back {back:.0f} Mbit/s, {pps / 1000:.0f} k/s of 200 bytes"


def test_two_lcores_at_each_end_share_the_work(world):
    alice, bob = pair(world, "lcores: 2", "lcores: 2")
    for each in (alice, bob):
        expect(each.status()["engine"]["lcores"] == 2, "not two lcores")
        expect({"ipop-lcore1", "ipop-lcore2"} <= set(each.daemon.threads()), "not two threads")
    rates = must_carry(alice, bob)
    handed = alice.status()["engine"]["counters"]["handed_over"]
    sent = alice.status()["engine"]["fates"]["sent"]
    expect(handed < sent / 100, f"{handed} packets of {sent} went from one lcore to another")
    return rates


def source_ports(receiver, source: str, sender) -> dict:
    """UDP port → data datagrams that left `source` by it, while `sender()` ran."""
    file = receiver.directory / "lanes.pcap"
    capture = receiver.start("tcpdump", "-i", "eth0", "-U", "-n", "-s", "64", "-w", file,
                             f"src host {source} and udp[8:4] = 0x04000000", name="tcpdump")
    capture.wait_for_line("listening on", 5)
    sender()
    time.sleep(0.2)
    capture.signal(signal.SIGINT)
    capture.wait(5)
    text = receiver.run("tcpdump", "-n", "-r", file).stdout
    return Counter(int(port) for port in re.findall(re.escape(source) + r"\.(\d+) > ", text))


def test_lanes_have_ports_of_their_own_and_flows_their_order(world):
    alice, bob = pair(world, "lcores: 2, lanes: 4", "lcores: 2")
    wait_until("bob to hear the ports of alice's lanes",
               lambda: alice.peer(bob.address)["lane_ports"] == 3, 10)
    time.sleep(1)  # for the session that follows
    handed = bob.status()["engine"]["counters"]["handed_over"]
    log = "ordered_flows"
    receiver = bob.host.start(sys.executable, ORDERED_FLOWS, "receive", bob.address, 5600, name=log)
    receiver.wait_for_line("listening", 5)
    ports = source_ports(bob.host, alice.host.address, lambda: alice.host.run(
        sys.executable, ORDERED_FLOWS, "send", bob.address, 5600, FLOWS, EACH))
    expect(receiver.wait(15) == 0, f"the receiver failed: {receiver.last_line()}")
    arrived = json.loads(receiver.last_line())
    expect(arrived == {"flows": FLOWS, "got": FLOWS * EACH, "late": 0}, f"arrived: {arrived}")
    busy = [port for port, count in ports.items() if count > EACH / 4]
    expect(len(busy) == 4, f"data left by these ports: {dict(ports)}")
    more = bob.status()["engine"]["counters"]["handed_over"] - handed
    expect(more < FLOWS * EACH / 100, f"{more} datagrams came to another lcore than before")
    must_balance(alice)
    must_balance(bob)
    return f"{FLOWS} flows over ports {sorted(ports)}"


def test_two_lcores_meet_one(world):
    return must_carry(*pair(world, "lcores: 2", "lcores: 1"))


def test_more_lcores_than_lanes_hand_packets_over(world):
    alice, bob = pair(world, "lcores: 4, lanes: 1", "lcores: 1")
    # UDP comes faster than one of them seals.
    rates = must_carry(alice, bob, ("handover_full",))
    expect(alice.status()["engine"]["counters"]["handed_over"] > 0, "nothing was handed over")
    return rates


def test_lcores_have_processors_of_their_own(world):
    alice = configured(world.host("alice"), 10, "cpus: [1, auto]", "127.0.0.1:9")
    wait_until("two lcores to run",
               lambda: {"ipop-lcore1", "ipop-lcore2"} <= set(alice.daemon.threads()), 5)
    found = alice.daemon.threads()
    expect(found["ipop-lcore1"] == {1}, f"the first lcore may run on {found['ipop-lcore1']}")
    expect(found["ipop-lcore2"] != {1}, "the second lcore is where the first is")
    expect(1 not in found["ipop-overlay"], "the overlay may run where the first lcore does")
    alice.stop()


def test_a_wireguard_peer_is_one_lanes_alone(world):
    wg = WireGuardHost(world.host("wg"), "192.168.10.30")
    wg.start()
    alice = configured(world.host("alice"), 10, "lcores: 3", "127.0.0.1:9", f"""
  peers:
    - public_key: {wg.public_key}
      allowed_ips: [{wg.address}/32]
      protocol: wireguard
      endpoint: {wg.endpoint}
""")
    wg.add_peer(alice.status()["public_key"], "192.168.10.10/32")
    pings = ping(alice.host, wg.address, 20, wait_s=3)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    server = IperfServer(wg.host, wg.address)
    rate = tcp_mbit(alice.host, server, SECONDS, 8)
    transfer(alice.host, wg.host, wg.address, 10)
    transfer(wg.host, alice.host, alice.address, 10)
    must_balance(alice)
    return f"{rate:.0f} Mbit/s"


if __name__ == "__main__":
    run_cases(globals())
