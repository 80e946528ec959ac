"""What can be wrong with a DPDK wire, or become so: the daemon says it and ends, or goes on; and
every packet has a fate. What only a card can have wrong stands in tests/vm/faults_test.py.

    alice 192.168.10.10 ─ router ─ bob 192.168.10.20
"""

import threading
import time

from dpdk_wire_test import events, pair_over_interface, started
from load_test import must_balance
from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.node import Node
from rig.ping import ping
from rig.traffic import IperfServer, udp_received_pps

LOAD_S = 3


def must_refuse(world, device: str, *words: str, further: str = "") -> None:
    """The daemon ends with status 1, says all of `words` and leaves nothing; the doctor warns."""
    host = world.host("alice")
    node = Node(host)
    node.init(10)
    node.configure(
        "network: {name: ipop_dpdk, address: 192.168.10.10/24}\n"
        f'wire: {{backend: dpdk, device: "{device}", address: 10.77.0.1/24}}\n{further}',
        "192.168.10.10")
    node.launch()
    status = node.daemon.wait(10)
    said = node.daemon.log()
    expect(status == 1, f"ipopd ended with {status}: {said[-300:]}")
    for word in words:
        expect(word in said, f'no "{word}" in: {said[-500:]}')
    expect("tapipop" not in host.run("ip", "link").stdout, "an interface was left behind")


def test_a_pci_address_without_a_card_is_refused(world):
    must_refuse(world, "0000:fe:1f.7", "wire.device 0000:fe:1f.7",
                "this machine has no PCI device of that address")


def test_an_interface_that_is_not_there_is_refused(world):
    must_refuse(world, "net_af_packet0,iface=eth7", "this machine has no interface eth7")


def test_huge_pages_that_are_required_and_missing_are_refused(world):
    must_refuse(world, "net_af_packet0,iface=eth0", 'engine.hugepages is "require", but only',
                "sysctl -w vm.nr_hugepages=",
                further="engine: {hugepages: require, memory_mb: 65536}\n")


def goes_down_under_load(world, driver: str) -> str:
    alice, bob = pair_over_interface(world, driver)
    expect(ping(alice.host, bob.address, 5, wait_s=5).lost == 0, "pings were lost before")
    server = IperfServer(bob.host, bob.address)
    rates = []
    load = threading.Thread(target=lambda: rates.append(
        udp_received_pps(alice.host, server, LOAD_S, 200, mbit=20)))
    load.start()
    time.sleep(1)
    for state in ("down", "up"):
        for host in (alice.host, bob.host):
            world.router().run("ip", "link", "set", world.link_of(host), state)
        time.sleep(0.5)
    load.join()
    wait_until("pings to pass", lambda: ping(alice.host, bob.address, 3).lost == 0, 10)
    for each in (alice, bob):
        each.daemon.must_run()
        must_balance(each)
    refused = events(alice)["queue_full"] + events(alice)["unresolved"]
    expect(events(alice)["copied"] == 0, "datagrams were copied")
    for each in (alice, bob):
        each.stop()
    expect(len(rates) == 1, "the load broke off")
    return f"{rates[0] / 1000:.1f} k/s arrived, the wire refused {refused}"


def test_a_link_that_goes_down_under_load_loses_nothing_without_a_name_over_af_packet(world):
    return goes_down_under_load(world, "net_af_packet")


def test_a_link_that_goes_down_under_load_loses_nothing_without_a_name_over_af_xdp(world):
    return goes_down_under_load(world, "net_af_xdp")


def test_a_memif_comes_back_when_either_end_was_restarted(world):
    hosts = [world.host(name) for name in ("alice", "bob")]
    socket = world.directory / "memif.sock"

    def start(host, octet: int, role: str) -> Node:
        device = f"net_memif0,socket={socket},socket-abstract=no,role={role},bsize=4096,rsize=11"
        return started(host, octet, f"10.77.0.{30 - octet}:4545",
                       f'device: "{device}", address: 10.77.0.{octet}/24')

    def must_pass(alice: Node, bob: Node) -> None:
        wait_until("pings to pass", lambda: ping(alice.host, bob.address, 3).lost == 0, 20)

    alice, bob = start(hosts[0], 10, "server"), start(hosts[1], 20, "client")
    must_pass(alice, bob)
    bob.stop()
    bob = start(hosts[1], 20, "client")
    must_pass(alice, bob)
    # Its driver does not connect a client again: systemd starts the daemon.
    alice.stop()
    expect(bob.daemon.wait(10) == 1, "the client ended well")
    expect(" is gone" in bob.daemon.log(), bob.daemon.log()[-300:])
    alice, bob = start(hosts[0], 10, "server"), start(hosts[1], 20, "client")
    must_pass(alice, bob)
    for each in (alice, bob):
        must_balance(each)
        each.stop()


if __name__ == "__main__":
    run_cases(globals())
