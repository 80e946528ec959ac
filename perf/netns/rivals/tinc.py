"""tinc 1.0: two daemons that know each other's keys (by default AES-256-CBC with HMAC)."""

import signal

from rig.conditions import wait_until

from netns.rivals.rival import Rival

UP = """#!/bin/sh
ip address add {address}/24 dev $INTERFACE
ip link set $INTERFACE up
"""


class Tinc(Rival):
    name, label = "tinc", "tinc"
    package, programs = "tinc", ("tincd",)

    def start(self, alice, bob) -> str:
        addresses = {alice: "192.168.40.10", bob: "192.168.40.20"}
        for host, address in addresses.items():
            hosts = host.directory / "hosts"
            hosts.mkdir()
            (hosts / host.name).write_text(
                f"Address = {host.address}\nSubnet = {address}/32\n", encoding="utf-8")
            (host.directory / "tinc.conf").write_text(
                f"Name = {host.name}\nInterface = tinc\nDeviceType = tun\n"
                f"ConnectTo = {(bob if host is alice else alice).name}\n", encoding="utf-8")
            up = host.directory / "tinc-up"
            up.write_text(UP.format(address=address), encoding="utf-8")
            up.chmod(0o755)
            host.run("tincd", "-c", host.directory, "-K2048")
        for host, other in ((alice, bob), (bob, alice)):
            known = host.directory / "hosts" / other.name
            known.write_bytes((other.directory / "hosts" / other.name).read_bytes())
        daemons = [host.start("tincd", "-c", host.directory, "-D",
                              f"--pidfile={host.directory / 'tinc.pid'}") for host in addresses]
        for daemon in daemons:
            daemon.wait_for_line("Ready", 10)
        wait_until("tinc's daemons find the size of packets on the way",
                   lambda: all(map(knows_path_mtu, daemons)), 30, 0.3)
        return addresses[bob]


def knows_path_mtu(daemon) -> bool:
    """Before that, packets go by TCP. The daemon writes what it knows to its log when asked."""
    daemon.must_run()
    daemon.signal(signal.SIGUSR2)
    nodes = [line for line in daemon.log().splitlines() if "pmtu" in line and " at 10." in line]
    words = nodes[-1].replace("(", " ").replace(")", " ").split() if nodes else []
    if "min" not in words:
        return False
    least, most = (int(words[words.index(word) + 1]) for word in ("min", "max"))
    return 0 < least == most
