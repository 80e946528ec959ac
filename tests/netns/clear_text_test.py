"""What somebody can read who sees every cable: no virtual address, no name, nothing that was sent.

    hyacinth 192.168.10.10 ─┐
    bluebell 192.168.10.20 ─┼─ router ── boot (another network), ca (no ipopd)
    marigold 192.168.10.30 ─┘

All interfaces of all daemons are captured from before their start: the joining of the hash table,
handshakes, certificates, data, a revocation. The same search in a capture of tapipop, where a host
has sent all of it to another, has to find everything.
"""

import hashlib
import socket

from rig.ca import Ca, give_list, refused
from rig.capture import Capture, first_bytes_of_datagrams
from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.node import node, start_together
from rig.ping import ping

NETWORK = "veilchenblau_garden_network"
GROUP = "gardeners-of-the-east"
CA = "tutorial's ca"
MESSAGE = "what the hosts tell each other"
PORT = 5300
# What a kind of datagram begins with (docs/protocol.md).
KINDS = {"an initiation": {0x11}, "a response": {0x12}, "data": {0x04},
         "the hash table": set(range(0x80, 0x90))}


def needles(nodes) -> dict:
    """What must not be seen → how it would look."""
    names = [NETWORK, GROUP, CA, MESSAGE, *(each.name for each in nodes)]
    addresses = [each.address for each in nodes]
    found = {text: text.encode() for text in names + addresses}
    for address in addresses:
        found[f"{address} in 4 bytes"] = socket.inet_aton(address)
    # Places in the directory that anybody could compute who has a guess.
    for text in [NETWORK, *addresses]:
        for algorithm in ("sha1", "sha256"):
            digest = hashlib.new(algorithm, text.encode()).digest()
            found[f"the {algorithm} of {text}"] = digest[:20]
            found[f"the {algorithm} of {text} as text"] = digest[:20].hex().encode()
    return found


def seen(capture: bytes, wanted: dict) -> set:
    """Capital letters or not."""
    lower = capture.lower()
    return {what for what, how in wanted.items() if how in capture or how.lower() in lower}


def send_all(sender, receiver, wanted: dict, capture: Capture) -> None:
    """Each of them in a datagram of its own, until it has come by: from host to host, inside."""
    receiver.host.start("socat", "-u", f"UDP4-RECV:{PORT},bind={receiver.address}",
                        "OPEN:/dev/null")
    wait_until("the receiver listens",
               lambda: f":{PORT} " in receiver.host.run("ss", "-uln").stdout, 5)
    for number, needle in enumerate(wanted.values()):
        file = sender.host.directory / f"needle-{number}"
        file.write_bytes(needle)
        sender.host.run("socat", "-u", f"FILE:{file}", f"UDP4:{receiver.address}:{PORT}")
        wait_until("it is in the capture", lambda n=needle: capture.contains(n), 5)


def test_nothing_of_addresses_names_and_data_is_seen_on_any_cable(world):
    boot = node(world, "boot", 1, network="ipop_bootstrap_only")
    nodes = [node(world, name, octet, [boot.endpoint], network=NETWORK)
             for name, octet in (("hyacinth", 10), ("bluebell", 20), ("marigold", 30))]
    first, second, third = nodes
    ca = Ca(world, first)
    for each in nodes:
        ca.sign(each, "--group", GROUP)
    wanted = needles(nodes)
    outside = [Capture(each.host, interface) for each in [boot, *nodes]
               for interface in ("eth0", "lo")]
    boot.start()
    start_together(*nodes)
    inside = Capture(first.host, "tapipop")
    for one, other in ((first, second), (first, third), (second, third)):
        expect(ping(one.host, other.address, 5, wait_s=3).lost == 0, "pings were lost")
    send_all(first, second, wanted, inside)
    give_list(first, ca.revoke(third.name))
    for each in (first, second):
        wait_until(f"{each.name} to refuse {third.name}",
                   lambda e=each: refused(e, third.address, "is revoked"), 10)
    for each in nodes:
        each.stop()
    captures = {each.name: each.finish() for each in outside}
    found = seen(inside.finish(), wanted)
    expect(found == set(wanted), f"the search misses {set(wanted) - found} even inside")
    begun = set().union(*map(first_bytes_of_datagrams, captures.values()))
    for kind, starts in KINDS.items():
        expect(begun & starts, f"nothing of {kind} was captured")
    for name, capture in captures.items():
        found = seen(capture, wanted)
        expect(not found, f"on {name} everybody sees {', '.join(sorted(found))}")
    total = sum(map(len, captures.values())) / 1e3
    return f"{len(wanted)} strings, {total:.0f} kB on {len(captures)} interfaces"


if __name__ == "__main__":
    run_cases(globals())
