"""Run inside a host: `echo.py serve ADDRESS PORT`, or `echo.py talk ADDRESS PORT SEED ROUNDS`.

The talker writes a few bytes at a time, as somebody at a terminal does, some of them while earlier
ones are under way, and must read back just what it wrote.
"""

import random
import socket
import sys


def serve(address: str, port: int) -> None:
    with socket.create_server((address, port)) as listener:
        print("listening", flush=True)
        connection, _ = listener.accept()
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while data := connection.recv(4096):
                connection.sendall(data)


def talk(address: str, port: int, seed: int, rounds: int) -> None:
    choose = random.Random(seed)
    with socket.create_connection((address, port), 5) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.settimeout(5)
        for _ in range(rounds):
            written = b""
            for _ in range(choose.randint(1, 6)):
                piece = choose.randbytes(choose.choice((1, 1, 2, 48, 200, 1388, 5000)))
                connection.sendall(piece)
                written += piece
            read = b""
            while len(read) < len(written):
                read += connection.recv(len(written) - len(read))
            if read != written:
                sys.exit("other bytes came back")


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2], int(sys.argv[3]))
    else:
        talk(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5]))
