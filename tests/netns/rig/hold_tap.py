"""Holds a tap interface of the given name, as another program would: python3 hold_tap.py NAME."""

import fcntl
import os
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP, IFF_NO_PI = 0x0002, 0x1000

tap = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", sys.argv[1].encode(), IFF_TAP | IFF_NO_PI))
print("held", flush=True)
while True:
    time.sleep(60)
