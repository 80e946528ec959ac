"""Records mixed.pcap: real traffic of two kernels, as it is on a cable without offloads.

    client 10.9.100.1 ── server 10.9.100.2, which both lose some packets and mark others (ECN)

Downloads, small writes, datagrams of all sizes, pings and fragments, at once. Only the beginning
of each packet is kept. As root: PYTHONPATH=tests/netns python3 tests/netns/captures/record.py
"""

import shutil
import sys
from pathlib import Path

from rig.traffic import IperfServer
from rig.world import World, unwind_on_signals

HERE = Path(__file__).resolve().parent
RIG = HERE.parent / "rig"
MTU = 1400
KEPT = 94  # Ethernet, IPv4 and the longest TCP header
RULES = """
table ip rough {
  chain input {
    type filter hook input priority 0
    numgen random mod 40 0 drop
  }
  chain marks {
    type filter hook prerouting priority -150
    ip ecn ect0 numgen random mod 40 0 ip ecn set ce
  }
}
"""


def roughen(host) -> None:
    features = [word for each in ("tso", "gso", "gro", "tx", "rx") for word in (each, "off")]
    host.run("ethtool", "-K", "eth0", *features)
    host.run("ip", "link", "set", "eth0", "mtu", MTU)
    host.run("sysctl", "-qw", "net.ipv4.tcp_ecn=1")
    rules = host.directory / "rules"
    rules.write_text(RULES, encoding="ascii")
    host.run("nft", "-f", rules)


def main() -> None:
    unwind_on_signals()
    with World() as world:
        client, server = world.cable("client", "server")
        for each in (client, server):
            roughen(each)
        file = client.directory / "mixed.pcap"
        capture = client.start("tcpdump", "-i", "eth0", "-s", KEPT, "-B", 20000, "-U",
                               "--immediate-mode", "-w", file, "ip", name="tcpdump")
        capture.wait_for_line("listening", 5)
        iperf = [IperfServer(server, server.address, port) for port in (5201, 5202, 5203)]
        server.start(sys.executable, RIG / "echo.py", "serve", server.address, 7000,
                     name="echo").wait_for_line("listening", 5)
        running = [client.start(*words, name=f"talk-{number}") for number, words in enumerate((
            ("iperf3", "-c", server.address, "-p", 5201, "-n", "250K", "-P", 3),
            ("iperf3", "-c", server.address, "-p", 5202, "-n", "250K", "-R"),
            ("iperf3", "-c", server.address, "-p", 5203, "-n", "100K", "-u", "-l", 1200, "-b", 0),
            (sys.executable, RIG / "echo.py", "talk", server.address, 7000, 1, 20),
            (sys.executable, RIG / "garbage.py", server.address, 9, 150, 1),
            ("ping", "-i", "0.02", "-c", 10, server.address),
            ("ping", "-i", "0.02", "-c", 5, "-s", 4000, server.address),
        ))]
        for each in running:
            each.wait(60)
        for each in iperf:
            each.stop()
        capture.stop()
        print(capture.log())
        shutil.copyfile(file, HERE / "mixed.pcap")


if __name__ == "__main__":
    main()
