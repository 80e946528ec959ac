"""A packet socket on an interface of a host: sends frames as that host, sees what it receives.

The socket belongs to the host's namespace, the caller stays outside. Frames carry virtio-net
headers: a super-packet is sent and seen in one piece.
"""

import contextlib
import ctypes
import select
import socket
import struct

from rig.super_packet import ETHERNET, VNET_HEADER, Frame
from rig.world import NETNS_DIRECTORY, Host

CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_STATISTICS, PACKET_VNET_HDR, PACKET_QDISC_BYPASS = 263, 6, 15, 20
ETH_P_IP = 0x0800
RECEIVE_BYTES = 64 << 20


@contextlib.contextmanager
def inside(host: Host):
    """This thread makes its sockets in the host's namespace."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(namespace) -> None:
        if libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), "setns")

    with (open("/proc/thread-self/ns/net", "rb") as own,
          open(NETNS_DIRECTORY / host.namespace, "rb") as other):
        enter(other)
        try:
            yield
        finally:
            enter(own)


class PacketSocket:
    def __init__(self, host: Host, interface: str):
        with inside(host):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
            # A frame that the interface cannot take is refused, not cut or completed on the way.
            self._socket.setsockopt(SOL_PACKET, PACKET_QDISC_BYPASS, 1)
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BYTES)
            self._socket.bind((interface, ETH_P_IP))
        self._socket.setblocking(False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, frame: Frame, destination_mac: bytes) -> None:
        self._socket.send(frame.vnet + destination_mac + bytes(6) + struct.pack("!H", ETH_P_IP)
                          + frame.packet)

    def receive(self, limit_s: float):
        """The next frame that came in, or None after the limit."""
        while select.select([self._socket], [], [], limit_s)[0]:
            data, (_, _, kind, _, _) = self._socket.recvfrom(70000)
            if kind == socket.PACKET_OUTGOING:
                continue
            packet = data[VNET_HEADER.size + ETHERNET:]
            length = struct.unpack_from("!H", packet, 2)[0]
            return Frame(data[:VNET_HEADER.size], packet[:length])
        return None

    def missed(self) -> int:
        """Frames for which there was no room since the last call."""
        return struct.unpack("II", self._socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
