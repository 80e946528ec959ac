"""The firewall between hosts of two groups.

    alice 192.168.10.10, group admin ─┐
    carol 192.168.10.30, group web   ─┼─ router ─ bob 192.168.10.20, whose firewall it is
    boot  another network ────────────┘          (2222 for admin, 8080 for both, 9999 for nobody)
"""

import sys
from pathlib import Path

from rig.ca import Ca
from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.node import node, start_together, trio
from rig.ping import ping

PORTS = Path(__file__).resolve().parent / "rig" / "tcp_ports.py"
SSH = "{name: ssh, action: allow, protocol: tcp, ports: 2222, groups: admin}"
WEB = "{name: web, action: allow, protocol: tcp, ports: 8080, groups: [admin, web]}"
# A flow that is cut off is silent for so long.
SILENT_S = 1.5


def firewall(host, *rules) -> None:
    text = host.config.read_text(encoding="utf-8").split("\nfirewall:")[0]
    text += "\nfirewall: {default_inbound: deny, inbound: [" + ", ".join(rules) + "]}\n"
    host.config.write_text(text, encoding="utf-8")


def connects(client, address, port) -> bool:
    return client.host.run(sys.executable, PORTS, "try", address, port, check=False).returncode == 0


def serve(server, *ports) -> None:
    server.host.start(sys.executable, PORTS, "serve", *ports).wait_for_line("listening", 5)


def beating(client, address, port):
    process = client.host.start(sys.executable, PORTS, "beat", address, port,
                                name=f"beat-{client.name}-{port}")
    process.wait_for_line("beat 2", 10)
    return process


def beats(process) -> int:
    return process.log().count("beat")


def three(world):
    alice, bob, boot = trio(world)
    carol = node(world, "carol", 30, [boot.endpoint])
    ca = Ca(world, alice)
    ca.sign(alice, "--group", "admin")
    ca.sign(carol, "--group", "web")
    ca.sign(bob)
    firewall(bob, SSH, WEB)
    start_together(alice, bob, carol)
    for client in (alice, carol):
        # From bob: his firewall lets answers in, and no pings.
        expect(ping(bob.host, client.address, 5, wait_s=3).lost == 0, "pings were lost")
    serve(bob, 2222, 8080, 9999)
    return alice, bob, carol


def rule(host, name) -> dict:
    return next(each for each in host.status()["firewall"]["rules"] if each["name"] == name)


def test_a_group_reaches_its_port_and_no_other(world):
    alice, bob, carol = three(world)
    serve(alice, 7000)
    expect(connects(alice, bob.address, 2222), "alice, an admin, does not reach 2222")
    expect(connects(carol, bob.address, 8080), "carol does not reach 8080")
    expect(not connects(carol, bob.address, 2222), "carol reaches 2222, which is for admins")
    expect(not connects(alice, bob.address, 9999), "9999 is for nobody")
    expect(connects(bob, alice.address, 7000), "what bob asks for is not answered")
    expect(not ping(alice.host, bob.address, 5, 0.3).replies, "a ping was answered")
    expect(rule(bob, "ssh")["packets"] > 0, "the rule has counted nothing")
    expect(bob.status()["engine"]["drops"]["firewall_in"] > 0, "no drop was counted")
    shown = bob.ipop("firewall").stdout
    expect("allow tcp 2222 from group admin (ssh)" in shown, f"ipop firewall says {shown}")


def test_a_reload_ends_what_it_forbids_and_nothing_else(world):
    alice, bob, carol = three(world)
    ssh = beating(alice, bob.address, 2222)
    web = beating(carol, bob.address, 8080)
    firewall(bob, SSH)
    applied = bob.ipop("reload").stdout
    expect("firewall.inbound" in applied, f"reload says {applied}")
    after = beats(web)
    goal = beats(ssh) + SILENT_S / 0.1
    wait_until("alice's connection to go on", lambda: beats(ssh) >= goal, 10)
    expect(beats(web) <= after + 1, "what the new rules forbid goes on")
    expect(not connects(carol, bob.address, 8080), "carol still reaches 8080")
    firewall(bob, SSH, WEB)
    bob.ipop("reload")
    expect(connects(carol, bob.address, 8080), "carol does not reach 8080 again")
    ssh.must_run()


if __name__ == "__main__":
    run_cases(globals())
