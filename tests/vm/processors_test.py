"""Machines with different processors choose a cipher that both have.

    alice 192.168.10.10 (10.77.0.1) ─ cable ─ bob 192.168.10.20 (10.77.0.2), both with UDP sockets
"""

from lab.card import VIRTIO
from lab.machines import Lab
from lab.node import GuestNode
from lab.two_nodes import must_balance, must_ping, start_all
from rig.cases import run_cases
from rig.conditions import expect

WITH_AES = ("max", "avx2", "AES-256-GCM with vector AES")
WITH_OLDER_AES = ("max,-vaes", "avx2", "AES-256-GCM with AES instructions")
WITHOUT_AES = ("max,-aes,-vaes", "avx2", "no AES instructions: ChaCha20-Poly1305 alone")


def they_speak(lab: Lab, processors: tuple, cipher: str) -> str:
    guests = [lab.guest(name, VIRTIO, iommu=False, hugepages=0, memory_mb=512, cpu=processor[0])
              for name, processor in zip(("alice", "bob"), processors)]
    nodes = []
    for guest, other, octet in zip(guests, reversed(guests), (10, 20)):
        guest.await_boot()
        guest.take_address(VIRTIO)
        node = GuestNode(guest, octet)
        node.init(other)
        nodes.append(node)
    for node, (_, _, said) in zip(nodes, processors):
        text = node.doctor()["processor"]["text"]
        expect(text == said, f"the doctor says of {node.name}: {text}")
    start_all(*nodes)
    alice, bob = nodes
    pings = must_ping(alice, bob)
    engines = []
    for node, other, (_, engine, _) in zip(nodes, reversed(nodes), processors):
        aead = node.status()["engine"]["aead"]
        expect(aead.startswith(engine), f"{node.name} computes with {aead}")
        spoken = node.peer(other.address)["cipher"]
        expect(spoken == cipher, f"{node.name} speaks {spoken}")
        engines.append(aead)
    for node in nodes:
        must_balance(node)
    for node in nodes:
        node.stop()
    return f"{' and '.join(engines)}; {pings}"


def test_with_a_processor_without_aes_all_speak_chacha20_poly1305(lab):
    return they_speak(lab, (WITH_AES, WITHOUT_AES), "chacha20-poly1305")


def test_processors_with_aes_of_different_age_speak_aes_256_gcm(lab):
    return they_speak(lab, (WITH_OLDER_AES, WITH_AES), "aes-256-gcm")


if __name__ == "__main__":
    run_cases(globals(), Lab)
