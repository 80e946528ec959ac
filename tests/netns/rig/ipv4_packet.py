"""An IPv4 packet and its fields, as far as replaying needs them; the bytes may be changed."""

import struct

from rig.watch_checksums import folded

ICMP, TCP, UDP = 1, 6, 17
CHECKSUM_AT = {ICMP: 2, TCP: 16, UDP: 6}
PLAIN_HEADER = 20


class Ipv4Packet:
    def __init__(self, data):
        self.bytes = bytearray(data)

    @property
    def protocol(self) -> int:
        return self.bytes[9]

    @property
    def header_length(self) -> int:
        return (self.bytes[0] & 15) * 4

    @property
    def never_cut(self) -> bool:
        return bool(self.bytes[6] & 0x40)

    @property
    def is_fragment(self) -> bool:
        return bool(self.word(6) & 0x3fff)

    @property
    def has_ports(self) -> bool:
        return self.protocol in (TCP, UDP) and not self.is_fragment

    @property
    def payload_at(self) -> int:
        """Where the payload of TCP or UDP starts."""
        start = self.header_length
        return start + (8 if self.protocol == UDP else (self.bytes[start + 12] >> 4) * 4)

    @property
    def checksum_at(self) -> int:
        """Where the checksum of what follows the IP header stands."""
        return self.header_length + CHECKSUM_AT[self.protocol]

    @property
    def flow(self) -> tuple:
        """Packets of one flow must keep their order."""
        start = self.header_length
        ports = bytes(self.bytes[start:start + 4]) if self.has_ports else b""
        return bytes(self.bytes[12:20]), self.protocol, ports

    def word(self, at: int) -> int:
        return struct.unpack_from("!H", self.bytes, at)[0]

    def set_word(self, at: int, value: int) -> None:
        struct.pack_into("!H", self.bytes, at, value & 0xffff)

    def pseudo_header(self) -> bytes:
        length = len(self.bytes) - self.header_length
        return bytes(self.bytes[12:20]) + struct.pack("!BBH", 0, self.protocol, length)

    def complete_header(self) -> None:
        """Length and checksum of the IP header."""
        self.set_word(2, len(self.bytes))
        self.set_word(10, 0)
        self.set_word(10, ~folded(bytes(self.bytes[:self.header_length])))

    def complete_transport(self) -> None:
        """The length in a UDP header, and the checksum; a fragment has no whole transport part."""
        if self.is_fragment or self.protocol not in CHECKSUM_AT:
            return
        start = self.header_length
        if self.protocol == UDP:
            self.set_word(start + 4, len(self.bytes) - start)
        self.set_word(self.checksum_at, 0)
        pseudo = b"" if self.protocol == ICMP else self.pseudo_header()
        value = ~folded(pseudo + bytes(self.bytes[start:])) & 0xffff
        self.set_word(self.checksum_at, value or (0xffff if self.protocol == UDP else 0))

    def has_right_checksums(self) -> bool:
        """For packets with ports. A UDP checksum that was left out is not right."""
        if folded(bytes(self.bytes[:self.header_length])) != 0xffff:
            return False
        whole = self.pseudo_header() + bytes(self.bytes[self.header_length:])
        return self.word(self.checksum_at) != 0 and folded(whole) == 0xffff

    def comparable(self) -> bytes:
        """The bytes without the id, and the checksum over it, if the id has no meaning (RFC 6864
        §4.1): a merged frame does not keep such ids."""
        if not self.never_cut or self.is_fragment:
            return bytes(self.bytes)
        return bytes(self.bytes[:4] + self.bytes[6:10] + self.bytes[12:])
