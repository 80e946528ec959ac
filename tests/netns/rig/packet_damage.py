"""What networks and hosts do to packets now and then, by a seed: packets come twice or in another
order, and single ones differ from their neighbours in the fields that merging must respect. Half of
the flows are of hosts that allow fragments, as if they did not look for the path's MTU.
"""

import random

from rig.ipv4_packet import PLAIN_HEADER, TCP, UDP, Ipv4Packet

TIMES_EACH = 0.008  # of all packets, for each kind
NOPS = b"\x01\x01\x01\x00"


def another_ttl(packet: Ipv4Packet) -> None:
    packet.bytes[8] -= 1


def another_ecn(packet: Ipv4Packet) -> None:
    packet.bytes[1] ^= 0x03


def another_class(packet: Ipv4Packet) -> None:
    packet.bytes[1] ^= 0xb8


def may_be_cut(packet: Ipv4Packet) -> None:
    if not packet.is_fragment:
        packet.bytes[6] ^= 0x40


def another_id(packet: Ipv4Packet) -> None:
    packet.set_word(4, packet.word(4) + 7)


def an_ip_option(packet: Ipv4Packet) -> None:
    if packet.header_length == PLAIN_HEADER and packet.has_ports and len(packet.bytes) < 1200:
        packet.bytes[PLAIN_HEADER:PLAIN_HEADER] = NOPS
        packet.bytes[0] += 1


def another_tcp_option(packet: Ipv4Packet) -> None:
    if packet.has_ports and packet.protocol == TCP:
        packet.bytes[packet.payload_at - 1] ^= 1  # mostly of a timestamp


def another_tcp_flag(packet: Ipv4Packet, bit: int) -> None:
    if packet.has_ports and packet.protocol == TCP:
        packet.bytes[packet.header_length + 13] ^= bit


def another_window(packet: Ipv4Packet) -> None:
    if packet.has_ports and packet.protocol == TCP:
        packet.bytes[packet.header_length + 15] ^= 1


def a_shorter_payload(packet: Ipv4Packet) -> None:
    if packet.has_ports and len(packet.bytes) > packet.payload_at:
        del packet.bytes[-1:]


def a_wrong_checksum(packet: Ipv4Packet) -> None:
    if packet.has_ports:
        packet.set_word(packet.checksum_at, packet.word(packet.checksum_at) ^ 0x5555)


def no_checksum(packet: Ipv4Packet) -> None:
    if packet.has_ports and packet.protocol == UDP:
        packet.set_word(packet.checksum_at, 0)


FIN, PSH, URG, ECE, CWR = 0x01, 0x08, 0x20, 0x40, 0x80
CHANGES = [another_ttl, another_ecn, another_class, may_be_cut, another_id, an_ip_option,
           another_tcp_option, another_window, a_shorter_payload,
           *(lambda packet, bit=bit: another_tcp_flag(packet, bit)
             for bit in (FIN, PSH, URG, ECE, CWR))]
# These come last: they would not outlive the checksums' completion.
SPOILS = [a_wrong_checksum, no_checksum]


def damaged(packets: list, seed: int) -> list:
    chance = random.Random(seed)
    out = []
    cut_flows = {}
    for each in packets:
        packet = Ipv4Packet(each.bytes)
        if cut_flows.setdefault(packet.flow, chance.random() < 0.5) and packet.never_cut:
            may_be_cut(packet)
            packet.complete_header()
        for change in CHANGES:
            if chance.random() < TIMES_EACH:
                change(packet)
                packet.complete_header()
                packet.complete_transport()
        for spoil in SPOILS:
            if chance.random() < TIMES_EACH:
                spoil(packet)
        out.append(packet)
        if chance.random() < TIMES_EACH:
            out.append(Ipv4Packet(packet.bytes))
        if chance.random() < TIMES_EACH and len(out) > 1:
            out[-2:] = reversed(out[-2:])
    return out
