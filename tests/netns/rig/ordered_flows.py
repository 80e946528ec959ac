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
SO_RCVBUFFORCE = 33
PAUSE_EVERY = 32  # datagrams of all flows together: so that no queue on the way is full


def receive(address: str, port: int) -> None:
    listener = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    listener.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
    listener.bind((address, port))
    listener.settimeout(10)
    print("listening", flush=True)
    last, ended, got, late = {}, set(), 0, 0
    try:
        while not ended or len(ended) < len(last):
            data, source = listener.recvfrom(2048)
            number, = struct.unpack_from("<I", data)
            if number == END:
                ended.add(source)
                continue
            got += 1
            late += number < last.get(source, 0)
            last[source] = max(number, last.get(source, 0))
    except TimeoutError:
        pass
    print(json.dumps({"flows": len(last), "got": got, "late": late}), flush=True)


def send(address: str, port: int, flows: int, each: int) -> None:
    sockets = []
    for _ in range(flows):
        sockets.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        sockets[-1].connect((address, port))
    for number in range(each):
        for index, one in enumerate(sockets):
            one.send(struct.pack("<I", number) + bytes(200))
            if (number * flows + index) % PAUSE_EVERY == 0:
                time.sleep(0.0005)
    time.sleep(0.3)  # the ends come after everything, by whatever way
    for _ in range(3):
        for one in sockets:
            one.send(struct.pack("<I", END))


if __name__ == "__main__":
    if sys.argv[1] == "receive":
        receive(sys.argv[2], int(sys.argv[3]))
    else:
        send(sys.argv[2], *map(int, sys.argv[3:6]))
