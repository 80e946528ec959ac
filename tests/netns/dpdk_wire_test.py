"""The wire as a DPDK port: of an interface of the kernel's, beside it and in its place, and of a
shared memory that joins two daemons. What each carries is shown next to what the kernel's sockets
carry between the same hosts.

    alice 192.168.10.10 ─ router ─ bob 192.168.10.20        (af_packet, af_xdp)
    alice 192.168.10.10 ─ memif ─ bob 192.168.10.20
"""

import time
from dataclasses import dataclass

from load_test import must_balance
from rig.cases import SOAK, run_cases
from rig.conditions import expect, wait_until
from rig.node import PORT, Node
from rig.ping import PingStream, ping
from rig.traffic import IperfServer, tcp_mbit, transfer, udp_received_pps

NETWORK = "ipop_dpdk"
SECONDS = 60 if SOAK else 1


@dataclass
class Rates:
    forth: float  # Mbit/s, four TCP streams
    back: float
    udp: float  # thousand datagrams of 200 bytes a second

    def beside(self, other: "Rates") -> str:
        def each(name: str) -> str:
            mine, theirs = getattr(self, name), getattr(other, name)
            return f"{mine:.0f} ({mine / theirs:.2f} of sockets' {theirs:.0f})"
        return (f"TCP {each('forth')} and back {each('back')} Mbit/s, "
                f"UDP of 200 bytes {each('udp')} k/s")


def configured(host, octet: int, bootstrap: str, wire: str = "", listen: str = "0.0.0.0",
               more: str = "") -> Node:
    """`wire`: nothing for the kernel's sockets."""
    made = Node(host)
    if not made.config.exists():
        made.init(octet)  # for its key
    section = f"wire: {{backend: dpdk, {wire}}}\n" if wire else ""
    made.configure(
        f"network: {{name: {NETWORK}, address: 192.168.10.{octet}/24, hostname: {host.name}}}\n"
        f'overlay: {{listen: ["{listen}:{PORT}"], bootstrap: ["{bootstrap}"]}}\n{section}{more}',
        f"192.168.10.{octet}")
    return made


def started(*arguments, **options) -> Node:
    made = configured(*arguments, **options)
    made.start()
    return made


def events(node: Node) -> dict:
    return node.status()["engine"]["wire_events"]


def must_work(alice: Node, bob: Node, driver: str) -> str:
    """And end; then the sockets have to."""
    rates = must_carry(alice, bob, driver)
    for each in (alice, bob):
        seen = events(each)
        for name in ("malformed", "bad_checksum", "fragment", "no_route", "too_big", "copied"):
            expect(seen[name] == 0, f"{each.name} counts {seen[name]} as {name}")
        each.stop()
    sockets = [started(alice.host, 10, "192.0.2.1"), started(bob.host, 20, alice.endpoint)]
    others = must_carry(*sockets, "socket")
    for each in sockets:
        each.stop()
    return rates.beside(others)


def must_carry(alice: Node, bob: Node, wire: str) -> Rates:
    pings = ping(alice.host, bob.address, 20, wait_s=5)
    expect(pings.lost == 0, f"{pings.lost} of {pings.sent} pings were lost")
    for each in (alice, bob):
        its = each.status()["engine"]["wire"]
        expect(its == wire, f"{each.name} has {its} for its wire")
    # Its log goes on where that of an earlier one ended.
    server = IperfServer(bob.host, bob.address, 5202 if wire == "socket" else 5201)
    rates = Rates(forth=tcp_mbit(alice.host, server, SECONDS, 4),
                  back=tcp_mbit(alice.host, server, SECONDS, 4, "-R"),
                  udp=udp_received_pps(alice.host, server, SECONDS, 200) / 1000)
    server.stop()
    transfer(alice.host, bob.host, bob.address, 5)
    for each in (alice, bob):
        must_balance(each)
    return rates


def pair_over_interface(world, driver: str) -> tuple:
    device = f'device: "{driver}0,iface=eth0"'
    hosts = [world.host(name) for name in ("alice", "bob")]
    alice = started(hosts[0], 10, "192.0.2.1", device)
    return alice, started(hosts[1], 20, alice.endpoint, device)


def must_come_back(world, alice: Node, bob: Node) -> None:
    """The link goes down and up, under pings."""
    pings = PingStream(alice.host, bob.address, 0.05)
    link = world.link_of(bob.host)
    for state in ("down", "up"):
        world.router().run("ip", "link", "set", link, state)
        time.sleep(0.5)
    lost_until = len(pings.so_far().replies)
    wait_until("pings to come back", lambda: len(pings.so_far().replies) > lost_until + 10, 10)
    pings.finish()


def must_be_idle(node: Node) -> float:
    """Percent of a core."""
    before = node.daemon.cpu_s()
    time.sleep(2)
    percent = (node.daemon.cpu_s() - before) / 2 * 100
    expect(percent < 2, f"{node.name} takes {percent:.1f} % of a core when idle")
    return percent


def test_two_daemons_meet_over_af_packet_beside_the_kernel(world):
    alice, bob = pair_over_interface(world, "net_af_packet")
    must_come_back(world, alice, bob)
    idle = must_be_idle(bob)
    # The kernel has not told anybody that nobody listens there.
    outcome = alice.host.run("nstat", "-asz", "IcmpOutDestUnreachs")
    expect("IcmpOutDestUnreachs             0" in outcome.stdout, outcome.stdout)
    return f"{must_work(alice, bob, 'net_af_packet')}, {idle:.1f} % of a core when idle"


def test_two_daemons_meet_over_af_xdp_in_the_place_of_the_kernel(world):
    alice, bob = pair_over_interface(world, "net_af_xdp")
    pings = ping(world.router(), alice.host.address, 3)
    expect(pings.lost == 0, f"the router lost {pings.lost} pings to the wire's own address")
    must_come_back(world, alice, bob)
    return must_work(alice, bob, "net_af_xdp")


def test_two_daemons_meet_by_ipv6_in_a_vlan(world):
    nodes = []
    for host, octet in zip(world.cable("alice", "bob"), (10, 20)):
        wire = f'device: "net_af_packet0,iface=eth0", address6: "fd00:77::{octet}/64", vlan: 7'
        nodes.append(started(host, octet, f"[fd00:77::{30 - octet}]:{PORT}", wire, "[::]"))
    alice, bob = nodes
    pings = ping(alice.host, bob.address, 20, wait_s=5)
    expect(pings.lost == 0, f"{pings.lost} of {pings.sent} pings were lost")
    endpoint = alice.peer(bob.address)["endpoint"]
    expect(endpoint == f"[fd00:77::20]:{PORT}", f"they meet at {endpoint}")
    expect(events(alice)["bad_checksum"] == 0, "checksums of IPv6 are wrong")


def test_a_wire_that_is_deleted_ends_the_daemon(world):
    host = world.host("alice")
    alice = started(host, 10, "192.0.2.1", 'device: "net_af_packet0,iface=eth0"')
    host.run("ip", "link", "delete", "eth0")
    expect(alice.daemon.wait(5) == 1, "the daemon ended well")
    said = alice.daemon.log()
    expect("net_af_packet0,iface=eth0 is gone" in said, said[-200:])


def test_two_daemons_meet_over_memif(world):
    hosts = [world.host(name) for name in ("alice", "bob")]
    socket = world.directory / "memif.sock"
    nodes = []
    for host, octet, role in zip(hosts, (10, 20), ("server", "client")):
        device = f"net_memif0,socket={socket},socket-abstract=no,role={role},bsize=4096,rsize=11"
        nodes.append(started(host, octet, f"10.77.0.{30 - octet}:{PORT}",
                             f'device: "{device}", address: 10.77.0.{octet}/24'))
    return must_work(*nodes, "net_memif")


if __name__ == "__main__":
    run_cases(globals())
