"""Run inside a host: `watch_checksums.py INTERFACE SECONDS` looks at every TCP and UDP packet.

Prints one JSON object: how many had a right checksum, how many had one that the kernel says is
still to be completed (and whose pseudo-header sum is right), and a few of those that are neither.
A super-packet counts once.
"""

import json
import socket
import struct
import sys
import time

SOL_PACKET, PACKET_AUXDATA = 263, 8
CHECKSUM_NOT_READY = 0x8  # TP_STATUS_CSUMNOTREADY
ETH_P_ALL = 3
FIELD = {6: 16, 17: 6}  # where the checksum stands


def folded(data: bytes) -> int:
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xffff:
        total = (total & 0xffff) + (total >> 16)
    return total


def parts(packet: bytes):
    """Pseudo-header, transport part and protocol; None for what is not whole TCP or UDP."""
    if packet[0] >> 4 == 4:
        header, total = (packet[0] & 15) * 4, struct.unpack_from("!H", packet, 2)[0]
        if struct.unpack_from("!H", packet, 6)[0] & 0x3fff or packet[9] not in FIELD:
            return None
        if folded(packet[:header]) != 0xffff:
            return packet[12:20] + b"\0", packet[header:total], packet[9]  # never right
        transport = packet[header:total]
        pseudo = packet[12:20] + struct.pack("!BBH", 0, packet[9], len(transport))
        return pseudo, transport, packet[9]
    transport = packet[40:40 + struct.unpack_from("!H", packet, 4)[0]]
    if packet[6] not in FIELD:
        return None
    pseudo = packet[8:40] + struct.pack("!IHBB", len(transport), 0, 0, packet[6])
    return pseudo, transport, packet[6]


def main(interface: str, seconds: float) -> None:
    watch = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    watch.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
    watch.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
    watch.bind((interface, 0))
    watch.settimeout(0.2)
    skip = 0 if interface.startswith("wg") else 14  # wireguard-go makes a tun: no Ethernet header
    print("watching", flush=True)
    counts = {"right": 0, "partial": 0, "super": 0, "wrong": []}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            frame, control, _, _ = watch.recvmsg(70000, 200)
        except TimeoutError:
            continue
        status = next((struct.unpack_from("I", data)[0] for level, kind, data in control
                       if (level, kind) == (SOL_PACKET, PACKET_AUXDATA)), 0)
        packet = frame[skip:]
        if len(packet) < 40 or packet[0] >> 4 not in (4, 6):
            continue
        found = parts(packet)
        if found is None:
            continue
        pseudo, transport, protocol = found
        counts["super"] += len(packet) > 9000
        at = FIELD[protocol]
        if status & CHECKSUM_NOT_READY:
            good = struct.unpack_from("!H", transport, at)[0] == folded(pseudo)
            counts["partial"] += good
        else:
            none = protocol == 17 and transport[at:at + 2] == b"\0\0" and packet[0] >> 4 == 4
            good = none or folded(pseudo + transport) == 0xffff
            counts["right"] += good
        if not good and len(counts["wrong"]) < 5:
            counts["wrong"].append(packet[:80].hex())
    print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
