"""A router's daemon that a test makes up; run inside the gateway: `odd_router.py WHAT ADDRESS`.

    short ADDRESS  grants a port by NAT-PMP for four seconds at a time, and says so on a line each
    lie ADDRESS    grants a port by NAT-PMP at an outside address of 127.0.0.1
    hang ADDRESS   answers searches for UPnP gateways, takes connections, and never says a word
"""

import selectors
import socket
import struct
import sys
import time

LIFE_S = 4
UPNP_PORT = 5000


def udp(address: str, port: int, group: str = "") -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if group:
        opened.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
                          socket.inet_aton(group) + socket.inet_aton(address))
    opened.bind(("" if group else address, port))
    return opened


def answer_nat_pmp(address: str, outside: str) -> None:
    started = time.monotonic()
    port = udp(address, 5351)
    print("ready", flush=True)
    while True:
        asked, source = port.recvfrom(64)
        epoch = int(time.monotonic() - started)
        if asked == b"\0\0":
            port.sendto(struct.pack("!BBHI", 0, 128, 0, epoch) + socket.inet_aton(outside), source)
        elif asked[:1] != b"\0":
            port.sendto(struct.pack("!BBHI", 0, 128, 1, epoch), source)  # NAT-PMP alone
        elif len(asked) == 12 and asked[1] == 1:
            inner, outer, life = struct.unpack("!HHI", asked[4:])
            print(f"map {inner} to {outer} for {life}", flush=True)
            port.sendto(struct.pack("!BBHIHHI", 0, 129, 0, epoch, inner, outer,
                                    min(life, LIFE_S)), source)


def hang(address: str) -> None:
    search = udp(address, 1900, "239.255.255.250")
    listener = socket.create_server((address, UPNP_PORT))
    taken = []  # or they would be closed
    waiting = selectors.DefaultSelector()
    for each in (search, listener):
        waiting.register(each, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is listener:
                taken.append(listener.accept()[0])
                print("connected", flush=True)
            else:
                _, source = search.recvfrom(2048)
                search.sendto(
                    b"HTTP/1.1 200 OK\r\n"
                    b"ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n"
                    b"LOCATION: http://%s:%d/description.xml\r\n\r\n"
                    % (address.encode(), UPNP_PORT), source)


if __name__ == "__main__":
    WHAT, ADDRESS = sys.argv[1:]
    if WHAT == "hang":
        hang(ADDRESS)
    else:
        answer_nat_pmp(ADDRESS, "127.0.0.1" if WHAT == "lie" else "9.9.9.9")
