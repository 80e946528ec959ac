"""Ten nodes in one network: everybody reaches everybody, and a killed node comes back.

    n1 192.168.10.11 ─┐
    …                 ├─ router ── boot (another network)
    n10 192.168.10.20 ┘
"""

from concurrent.futures import ThreadPoolExecutor

from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.node import node, start_together
from rig.ping import PingStream, ping

COUNT = 10
COMEBACK_LIMIT_S = 2.0


def ten(world) -> list:
    boot = node(world, "boot", 1, network="ipop_bootstrap_only")
    boot.start()
    nodes = [node(world, f"n{i}", 10 + i, [boot.endpoint]) for i in range(1, COUNT + 1)]
    start_together(*nodes)
    return nodes


def unanswered(nodes) -> list:
    """Pairs, as text, of which the first got not every reply from the second."""
    def ask(pair):
        a, b = pair
        return ping(a.host, b.address, 3, 0.2, wait_s=4).lost

    pairs = [(a, b) for a in nodes for b in nodes if a is not b]
    with ThreadPoolExecutor(COUNT) as pool:
        return [f"{a.name}→{b.name}" for (a, b), lost in zip(pairs, pool.map(ask, pairs)) if lost]


def test_all_pairs_of_ten_ping_each_other(world):
    nodes = ten(world)
    bad = unanswered(nodes)
    expect(not bad, f"{len(bad)} of {COUNT * (COUNT - 1)} pairs lost pings: {' '.join(bad)}")
    peers = {each.name: len(each.status()["peers"]) for each in nodes}
    expect(all(count >= COUNT - 1 for count in peers.values()), f"peers in status: {peers}")
    worst = max(each.daemon.rss_mb() for each in nodes)
    expect(worst < 150, f"a node uses {worst:.0f} MB")
    return f"at most {worst:.0f} MB a node"


def test_a_killed_node_talks_again_within_two_seconds_of_its_restart(world):
    boot = node(world, "boot", 1, network="ipop_bootstrap_only")
    boot.start()
    nodes = [node(world, f"n{i}", 10 + i, [boot.endpoint]) for i in range(1, 4)]
    start_together(*nodes)
    asking, killed = nodes[0], nodes[1]
    expect(ping(asking.host, killed.address, 5, wait_s=3).lost == 0, "pings were lost before")
    stream = PingStream(asking.host, killed.address, 0.1)
    wait_until("five replies", lambda: len(stream.so_far().replies) >= 5, 5)
    killed.daemon.kill()
    expect(not killed.has_interface(), "tapipop outlived the killed daemon")
    killed.start()
    reply = wait_until(
        "a reply after the restart",
        lambda: next((at for at, _, _ in stream.so_far().replies if at > killed.up_at), None), 20)
    took_s = reply - killed.up_at
    stream.finish()
    expect(took_s < COMEBACK_LIMIT_S, f"the first reply came {took_s:.2f} s after the restart")
    expect(ping(killed.host, nodes[2].address, 5, wait_s=3).lost == 0, "another peer is lost")
    return f"{took_s * 1000:.0f} ms"


if __name__ == "__main__":
    run_cases(globals())
