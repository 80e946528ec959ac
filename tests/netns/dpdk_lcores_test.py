"""Several lcores, each with a queue of its own of one DPDK port.

    alice 192.168.10.10 ─ router ─ bob 192.168.10.20        (af_packet)
    alice 192.168.10.10 ─ memif ─ bob 192.168.10.20
"""

from dpdk_wire_test import configured, must_be_idle, started
from lcores_test import must_carry
from rig.cases import run_cases
from rig.conditions import expect
from rig.node import PORT, Node
from rig.ping import ping

LCORES = "engine: {lcores: 2}\n"
THREADS = {"ipop-lcore1", "ipop-lcore2"}


def must_share(alice: Node, bob: Node, wire: str) -> str:
    pings = ping(alice.host, bob.address, 20, wait_s=5)
    expect(pings.lost == 0, f"{pings.lost} of {pings.sent} pings were lost")
    before = [each.daemon.thread_cpu_s() for each in (alice, bob)]
    # A lane comes to the queue that the kernel's hash says, and is opened where it came first.
    rates = must_carry(alice, bob, ("handover_full",))
    shares = []
    for each, earlier in zip((alice, bob), before):
        engine = each.status()["engine"]
        expect((engine["wire"], engine["lcores"]) == (wire, 2), f"{each.name} has {engine}")
        used = {name: cpu_s - earlier[name] for name, cpu_s in each.daemon.thread_cpu_s().items()
                if name in THREADS}
        shares.append(min(used.values()) / sum(used.values()))
        expect(shares[-1] > 0.1, f"one lcore of {each.name} does all the work: {used}")
        for event in ("malformed", "bad_checksum", "no_route", "unresolved", "conflict"):
            expect(engine["wire_events"][event] == 0, f"{each.name}: {engine['wire_events']}")
    return f"{rates}; the lesser lcore has {min(shares):.0%} of the work"


def test_lcores_share_the_queues_of_af_packet(world):
    device = 'device: "net_af_packet0,iface=eth0"'
    alice = started(world.host("alice"), 10, "192.0.2.1", device, more=LCORES)
    bob = started(world.host("bob"), 20, alice.endpoint, device, more=LCORES)
    idle = must_be_idle(bob)
    return f"{must_share(alice, bob, 'net_af_packet')}, {idle:.1f} % of a core when idle"


# An interface of veth has no more than one for XDP.
def test_an_interface_without_so_many_queues_is_refused(world):
    node = configured(world.host("alice"), 10, "192.0.2.1",
                      'device: "net_af_xdp0,iface=eth0"', more=LCORES)
    expect(node.launch().wait(10) == 1, "ipopd ended well")
    said = node.daemon.last_line()
    expect("net_af_xdp0,iface=eth0,queue_count=2: its driver does not start" in said, said)


# What one end sends by a queue, the other receives by the same.
def test_lcores_share_the_queues_of_memif(world):
    hosts = [world.host(name) for name in ("alice", "bob")]
    socket = world.directory / "memif.sock"
    nodes = []
    for host, octet, role in zip(hosts, (10, 20), ("server", "client")):
        device = f"net_memif0,socket={socket},socket-abstract=no,role={role},bsize=4096,rsize=11"
        wire = f'device: "{device}", address: 10.77.0.{octet}/24'
        nodes.append(started(host, octet, f"10.77.0.{30 - octet}:{PORT}", wire, more=LCORES))
    said = must_share(*nodes, "net_memif")
    engine = nodes[1].status()["engine"]
    handed, came = engine["counters"]["handed_over"], engine["fates"]["delivered"]
    expect(handed < came / 20, f"{handed} packets of {came} came to another lcore's queue")
    return said


if __name__ == "__main__":
    run_cases(globals())
