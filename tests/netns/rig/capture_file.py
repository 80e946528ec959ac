"""The IPv4 packets of a capture file (pcap, Ethernet), made whole and given other addresses.

A capture that kept only the beginnings of its packets is filled up with random bytes of a seed, so
that no two payloads are equal. All checksums are computed anew.
"""

import random
import socket
import struct
from pathlib import Path

from rig.ipv4_packet import Ipv4Packet

FILE_HEADER, RECORD_HEADER, ETHERNET = 24, 16, 14


def packets_between(path: Path, source: str, destination: str, seed: int) -> list:
    """Both directions of the capture, as if all of it went from `source` to `destination`."""
    chance = random.Random(seed)
    addresses = socket.inet_aton(source) + socket.inet_aton(destination)
    packets = []
    for frame in frames(path.read_bytes()):
        if frame[12:14] != b"\x08\x00":
            continue
        start = frame[ETHERNET:]
        length = struct.unpack_from("!H", start, 2)[0]
        packet = Ipv4Packet((start + chance.randbytes(length))[:length])
        packet.bytes[12:20] = addresses
        packet.complete_header()
        packet.complete_transport()
        packets.append(packet)
    return packets


def frames(data: bytes):
    """Each frame of a capture file, as far as it was kept."""
    if struct.unpack_from("<I", data)[0] != 0xa1b2c3d4 or data[20] != 1:
        raise ValueError("not a pcap file of Ethernet frames")
    at = FILE_HEADER
    while at < len(data):
        kept = struct.unpack_from("<I", data, at + 8)[0]
        at += RECORD_HEADER
        yield data[at:at + kept]
        at += kept
