"""UDP flows whose datagrams are numbered: do they arrive in the order in which they were sent?

    ordered_flows.py receive ADDRESS PORT             prints a JSON line when all flows have ended
    ordered_flows.py send    ADDRESS PORT FLOWS EACH
"""

import json
import socket
import struct
import sys
import time

END = 0xffffffff
# Of a socket of its own, which is told how many came. An answer to a flow would lead the flow to
# the lcore by which that answer came, and what the other lcore still has would come later.
HELLO = 0xfffffffe
SO_RCVBUFFORCE = 33
WINDOW = 256  # datagrams of all flows on their way at once: fewer than any queue holds
ANSWER_EVERY = 64  # datagrams: by one with the number of those that came


def receive(address: str, port: int) -> None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    listener.bind((address, port))
    listener.settimeout(10)
    print("listening", flush=True)
    last, ended, got, late, sender = {}, set(), 0, 0, None
    try:
        while not ended or len(ended) < len(last):
            data, source = listener.recvfrom(2048)
            number, = struct.unpack_from("<I", data)
            if number == HELLO:
                sender = source
                continue
            if number == END:
                ended.add(source)
                continue
            got += 1
            if got % ANSWER_EVERY == 0 and sender:
                listener.sendto(struct.pack("<I", got), sender)
            late += number < last.get(source, 0)
            last[source] = max(number, last.get(source, 0))
    except TimeoutError:
        pass
    print(json.dumps({"flows": len(last), "got": got, "late": late}), flush=True)


def answered(told: socket.socket, already: int) -> int:
    """How many have come, as far as is known; what has not come in a second never will."""
    try:
        return max(already, struct.unpack("<I", told.recv(2048))[0])
    except TimeoutError:
        return already + WINDOW


def send(address: str, port: int, flows: int, each: int) -> None:
    sockets, came = [], 0
    told = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    told.settimeout(1)
    told.connect((address, port))
    told.send(struct.pack("<I", HELLO))
    for _ in range(flows):
        sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sockets[-1].connect((address, port))
    for number in range(each):
        for index, one in enumerate(sockets):
            one.send(struct.pack("<I", number) + bytes(200))
            while number * flows + index - came >= WINDOW:
                came = answered(told, came)
    time.sleep(0.3)  # the ends come after everything, by whatever way
    for _ in range(3):
        for one in sockets:
            one.send(struct.pack("<I", END))


if __name__ == "__main__":
    if sys.argv[1] == "receive":
        receive(sys.argv[2], int(sys.argv[3]))
    else:
        send(sys.argv[2], *map(int, sys.argv[3:6]))
