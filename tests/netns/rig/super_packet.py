"""Super-packets by a slow, obvious model: packets that a host would hand over in one piece, put
together, and what came in one piece, cut into its packets (virtio-net header, TCP and UDP, IPv4).
"""

import struct
from dataclasses import dataclass

from rig.conditions import expect
from rig.ipv4_packet import CHECKSUM_AT, PLAIN_HEADER, TCP, UDP, Ipv4Packet
from rig.watch_checksums import folded

VNET_HEADER = struct.Struct("=BBHHHH")  # flags, type, header length, segment size, checksum
NEEDS_CHECKSUM = 1
GSO_TYPE = {TCP: 1, UDP: 5}
GSO_ECN = 0x80
ETHERNET = 14
FIN, SYN, RST, PSH, URG, CWR = 0x01, 0x02, 0x04, 0x08, 0x20, 0x80
MOST_PACKETS, MOST_BYTES = 40, 60000


@dataclass
class Frame:
    """What a packet socket with virtio-net headers sends and receives, less the Ethernet header."""
    vnet: bytes
    packet: bytes


def as_it_is(packet: Ipv4Packet) -> Frame:
    return Frame(bytes(VNET_HEADER.size), bytes(packet.bytes))


def merged(packets: list) -> list:
    """Frames of neighbours that belong together; their checksums are left to be completed."""
    groups = []
    for packet in packets:
        if groups and _continues(groups[-1], packet):
            groups[-1].append(packet)
        else:
            groups.append([packet])
    return [_frame_of(group) for group in groups]


def cut(frame: Frame) -> list:
    flags, kind, _, size, start, offset = VNET_HEADER.unpack(frame.vnet)
    whole = Ipv4Packet(frame.packet)
    if not flags & NEEDS_CHECKSUM:
        expect(kind == 0, f"a frame of kind {kind} whose checksum is not partial")
        return [whole]
    expect(whole.has_ports and (start, offset) == (
        ETHERNET + whole.header_length, CHECKSUM_AT[whole.protocol]), "a checksum elsewhere")
    expect(whole.word(whole.checksum_at) == folded(whole.pseudo_header()), "no right partial sum")
    expect(folded(bytes(whole.bytes[:whole.header_length])) == 0xffff, "a wrong IP checksum")
    if kind == 0:
        whole.complete_transport()
        return [whole]
    expect(kind & ~GSO_ECN == GSO_TYPE[whole.protocol], f"a frame of kind {kind}")
    payload_at, start = whole.payload_at, whole.header_length
    parts = []
    for at in range(payload_at, len(whole.bytes), size):
        part = Ipv4Packet(whole.bytes[:payload_at] + whole.bytes[at:at + size])
        part.set_word(4, whole.word(4) + len(parts))
        if whole.protocol == TCP:
            sequence = struct.unpack_from("!I", whole.bytes, start + 4)[0] + at - payload_at
            struct.pack_into("!I", part.bytes, start + 4, sequence & 0xffffffff)
            if at + size < len(whole.bytes):
                part.bytes[start + 13] &= ~(FIN | PSH)
            if parts:
                part.bytes[start + 13] &= ~CWR
        part.complete_header()
        part.complete_transport()
        parts.append(part)
    return parts


def _continues(group: list, packet: Ipv4Packet) -> bool:
    """Whether cutting the group's frame would give this packet next."""
    first, last = group[0], group[-1]
    if not (_may_merge(first) and _may_merge(packet)) or first.payload_at != packet.payload_at:
        return False
    size, more = (len(each.bytes) - each.payload_at for each in (first, packet))
    whole_length = sum(len(each.bytes) for each in group)
    if (len(last.bytes) != len(first.bytes) or not 0 < more <= size
            or len(group) == MOST_PACKETS or whole_length + more > MOST_BYTES
            or packet.word(4) != (first.word(4) + len(group)) & 0xffff):
        return False
    if first.protocol == TCP:
        flags = last.bytes[last.header_length + 13]
        sequence = struct.unpack_from("!I", first.bytes, first.header_length + 4)[0]
        due = (sequence + len(group) * size) & 0xffffffff
        if flags & (FIN | PSH) or due != struct.unpack_from(
                "!I", packet.bytes, packet.header_length + 4)[0]:
            return False
        if packet.bytes[packet.header_length + 13] & CWR:
            return False
    return _same_in_all(first) == _same_in_all(packet)


def _may_merge(packet: Ipv4Packet) -> bool:
    if (not packet.has_ports or packet.header_length != PLAIN_HEADER
            or len(packet.bytes) == packet.payload_at or not packet.has_right_checksums()):
        return False
    flags = packet.bytes[packet.header_length + 13] if packet.protocol == TCP else 0
    return not flags & (SYN | RST | URG)


def _same_in_all(packet: Ipv4Packet) -> bytes:
    """The headers without what differs between the packets of one frame."""
    header = bytearray(packet.bytes[:packet.payload_at])
    start = packet.header_length
    if packet.protocol == TCP:
        header[start + 13] &= ~(FIN | PSH | CWR)
        header[start + 4:start + 8] = bytes(4)
    else:
        header[start + 4:start + 6] = bytes(2)
    header[packet.checksum_at:packet.checksum_at + 2] = bytes(2)
    return bytes(header[:2] + header[6:10] + header[12:])


def _frame_of(group: list) -> Frame:
    first, last = group[0], group[-1]
    if not first.has_ports or not first.has_right_checksums():
        return as_it_is(first)
    whole = Ipv4Packet(b"".join([bytes(first.bytes)] + [
        bytes(each.bytes[each.payload_at:]) for each in group[1:]]))
    start, kind, size, headers = whole.header_length, 0, 0, 0
    if len(group) > 1:
        kind = GSO_TYPE[whole.protocol]
        headers, size = ETHERNET + first.payload_at, len(first.bytes) - first.payload_at
        if whole.protocol == TCP:
            whole.bytes[start + 13] |= last.bytes[start + 13] & (FIN | PSH)
            kind |= GSO_ECN if whole.bytes[start + 13] & CWR else 0
        else:
            whole.set_word(start + 4, len(whole.bytes) - start)
    whole.complete_header()
    whole.set_word(whole.checksum_at, folded(whole.pseudo_header()))
    return Frame(VNET_HEADER.pack(NEEDS_CHECKSUM, kind, headers, size, ETHERNET + start,
                                  CHECKSUM_AT[whole.protocol]), bytes(whole.bytes))
