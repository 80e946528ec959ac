"""Throws datagrams of every kind at a port: python3 garbage.py ADDRESS PORT COUNT SEED.

Each starts like something the node knows (data, handshake, relay, DHT, STUN) or like nothing, and
goes on at random, in every length from empty to the largest that is not fragmented.
"""

import random
import socket
import sys

STARTS = [bytes([kind, 0, 0, 0]) for kind in (1, 2, 3, 4, 5, 0x11, 0x12, 0x7F, 0xFF)]
STARTS += [bytes([kind]) for kind in range(0x80, 0x90)]
STARTS += [b"\x00\x01\x00\x00\x21\x12\xa4\x42", b"\x01\x01\x00\x00\x21\x12\xa4\x42"]
# Lengths that whole messages have: cookie reply, response, initiation, and their neighbours.
LENGTHS = [0, 1, 3, 4, 15, 16, 31, 32, 33, 63, 64, 65, 91, 92, 93, 147, 148, 149, 512, 1472]

address, port, count, seed = sys.argv[1], *map(int, sys.argv[2:5])
chance = random.Random(seed)
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(count):
    start = chance.choice(STARTS + [b""])
    length = chance.choice(LENGTHS + [chance.randrange(1473)])
    datagram = (start + chance.randbytes(length))[:length]
    try:
        sender.sendto(datagram, (address, port))
    except OSError:
        pass  # The receiver's kernel may have said that nobody listens.
print(f"sent {count}", flush=True)
