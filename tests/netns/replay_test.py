"""A capture of real traffic, replayed through the tunnel: the far host gets the same packets.

    alice 192.168.10.10 ─ router ─ bob 192.168.10.20, boot (another network)

Alice's host sends what captures/mixed.pcap holds, burst by burst; what bob's host gets is cut into
packets again and compared, flow by flow and byte by byte. The next burst waits until all of one
have come, so nothing depends on speed.
"""

import os
import random
import signal
from pathlib import Path

from rig.capture_file import packets_between
from rig.cases import SOAK, run_cases
from rig.conditions import expect
from rig.node import start_together, trio
from rig.packet_damage import damaged
from rig.packet_socket import PacketSocket
from rig.ping import ping
from rig.super_packet import as_it_is, cut, merged

CAPTURE = Path(__file__).resolve().parent / "captures" / "mixed.pcap"
ROUNDS = 100 if SOAK else 6  # the first as captured, the others damaged, each in another way
BURSTS = (1, 2, 5, 16, 32, 64, 128)  # far from what any queue on the way holds
PATIENCE_S = 10


class Replay:
    """From alice's interface to bob's, with nobody at bob's to answer."""

    def __init__(self, world):
        self.alice, self.bob, _ = trio(world)
        start_together(self.alice, self.bob)
        pings = ping(self.alice.host, self.bob.address, 5, wait_s=3)
        expect(pings.lost == 0, "pings were lost before")
        self.bob.host.run("nft", "add table inet quiet; add chain inet quiet in { type filter hook "
                          "input priority 0; }; add rule inet quiet in iifname tapipop drop")
        neighbour = self.alice.host.run("ip", "neighbour", "show", self.bob.address).stdout.split()
        self.mac = bytes.fromhex(neighbour[neighbour.index("lladdr") + 1].replace(":", ""))
        # A thread that moves to another processor can overtake its own packets on the cable.
        for thread in Path(f"/proc/{self.alice.daemon.pid}/task").iterdir():
            os.sched_setaffinity(int(thread.name), {min(os.sched_getaffinity(0))})
        self.sent = self.frames_sent = self.frames_received = 0

    def run(self, frames_of) -> None:
        """`frames_of` makes of a burst's packets the frames that alice's host sends."""
        drops = [each.status()["engine"]["drops"] for each in (self.alice, self.bob)]
        captured = packets_between(CAPTURE, self.alice.address, self.bob.address, seed=1)
        with (PacketSocket(self.alice.host, "tapipop") as sender,
              PacketSocket(self.bob.host, "tapipop") as receiver):
            for seed in range(ROUNDS):
                chance = random.Random(seed)
                packets = damaged(captured, seed) if seed else captured
                while packets:
                    count = chance.choice(BURSTS)
                    burst, packets = packets[:count], packets[count:]
                    self._send(sender, frames_of(burst), at_once=chance.random() < 0.7)
                    compare(burst, self._receive(receiver, count=len(burst)), f"round {seed}")
                    self.sent += len(burst)
            expect(receiver.receive(0.1) is None, "more arrived than was sent")
            expect(receiver.missed() == 0, "the test itself did not keep up")
        after = [each.status()["engine"]["drops"] for each in (self.alice, self.bob)]
        expect(after == drops, f"drops were {drops} and are {after}")

    def _send(self, sender: PacketSocket, frames: list, at_once: bool) -> None:
        """At once: the daemon finds them all in the queue, so that trains and merged frames form;
        else it races with the sender."""
        daemon = self.alice.daemon
        if at_once:
            daemon.signal(signal.SIGSTOP)
        try:
            for frame in frames:
                sender.send(frame, self.mac)
        finally:
            if at_once:
                daemon.signal(signal.SIGCONT)
        self.frames_sent += len(frames)

    def _receive(self, receiver: PacketSocket, count: int) -> list:
        """Packets until there are so many, or no more come."""
        packets = []
        while len(packets) < count:
            frame = receiver.receive(PATIENCE_S)
            if frame is None:
                break
            packets += cut(frame)
            self.frames_received += 1
        return packets

    def measured(self) -> str:
        return (f"{self.sent} packets, sent in {self.frames_sent} frames, "
                f"arrived in {self.frames_received}")


def compare(sent: list, received: list, where: str) -> None:
    """A fragment does not tell its flow: it keeps its place among all of them."""
    expect(sorted(each.flow for each in sent) == sorted(each.flow for each in received),
           f"{where}: {len(sent)} packets were sent, {len(received)} came")
    for flow in {each.flow for each in sent}:
        pairs = zip(*([each for each in burst if each.flow == flow or each.is_fragment]
                      for burst in (sent, received)), strict=True)
        for number, (before, after) in enumerate(pairs):
            expect(before.comparable() == after.comparable(),
                   f"{where}: packet {number} of its flow in a burst of {len(sent)} changed from\n"
                   f"{before.bytes[:80].hex()} ({len(before.bytes)} bytes) to\n"
                   f"{after.bytes[:80].hex()} ({len(after.bytes)} bytes)")


def test_every_packet_of_a_capture_arrives_as_it_was_and_in_its_place(world):
    replay = Replay(world)
    replay.run(lambda burst: [as_it_is(packet) for packet in burst])
    expect(replay.frames_received < replay.sent * 0.9, f"few were merged: {replay.measured()}")
    return replay.measured()


def test_super_packets_of_a_capture_arrive_as_the_packets_they_stand_for(world):
    replay = Replay(world)
    replay.run(merged)
    for what in (replay.frames_sent, replay.frames_received):
        expect(what < replay.sent * 0.9, f"few were merged: {replay.measured()}")
    return replay.measured()


if __name__ == "__main__":
    run_cases(globals())
