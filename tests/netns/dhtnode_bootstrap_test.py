"""A plain OpenDHT node, Debian's dhtnode, is all the infrastructure that two nodes need.

    alice 192.168.10.10 (10.9.2.2) ─┐
    bob   192.168.10.20 (10.9.3.2) ─┼─ router
    dht   dhtnode       (10.9.1.2) ─┘
"""

from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.node import node, start_together
from rig.ping import PingStream, ping

DHT_PORT = 4222


def dht_and_two(world) -> tuple:
    dht = world.host("dht")
    dhtnode = dht.start("dhtnode", "-p", DHT_PORT)
    bootstrap = [f"{dht.address}:{DHT_PORT}"]
    alice, bob = node(world, "alice", 10, bootstrap), node(world, "bob", 20, bootstrap)
    return alice, bob, dhtnode, dht, bootstrap


def test_two_nodes_meet_through_dhtnode(world):
    alice, bob, dhtnode, _, _ = dht_and_two(world)
    start_together(alice, bob)
    pings = ping(alice.host, bob.address, 20, wait_s=3)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    dht = alice.status()["dht"]
    expect(dht["connected"] and dht["nodes"] >= 1, f"status says of the DHT: {dht}")
    dhtnode.must_run()


def test_a_tunnel_outlives_the_bootstrap_node(world):
    alice, bob, dhtnode, _, _ = dht_and_two(world)
    start_together(alice, bob)
    expect(ping(alice.host, bob.address, 5, wait_s=3).lost == 0, "pings were lost before")
    stream = PingStream(alice.host, bob.address)
    wait_until("ten replies", lambda: len(stream.so_far().replies) >= 10, 5)
    dhtnode.kill()
    wait_until("sixty replies", lambda: len(stream.so_far().replies) >= 60, 10)
    pings = stream.finish()
    lost = [n for n in pings.lost_numbers() if n < pings.sent]
    expect(not lost, f"lost pings number {lost}")


def test_nodes_that_started_first_join_when_the_bootstrap_node_appears(world):
    dht = world.host("dht")
    bootstrap = [f"{dht.address}:{DHT_PORT}"]
    alice, bob = node(world, "alice", 10, bootstrap), node(world, "bob", 20, bootstrap)
    start_together(alice, bob)
    alice.await_answer()
    expect(not alice.status()["dht"]["connected"], "connected to a DHT that is not there")
    dht.start("dhtnode", "-p", DHT_PORT)
    for each in (alice, bob):
        wait_until(f"{each.name} in the DHT", lambda n=each: n.status()["dht"]["connected"], 15)
    wait_until("a reply", lambda: ping(alice.host, bob.address, 2, 0.2).replies, 15)


if __name__ == "__main__":
    run_cases(globals())
