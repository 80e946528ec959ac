"""Run inside a host: `tcp_ports.py serve PORT...` echoes on each; `tcp_ports.py try ADDRESS PORT`
connects and has one byte echoed, or fails within two seconds; `tcp_ports.py beat ADDRESS PORT` does
so ten times a second over one connection, and prints a line for each byte that came back.
"""

import socket
import sys
import threading
import time

LIMIT_S = 2
BEAT_S = 0.1


def echo(connection) -> None:
    with connection:
        while data := connection.recv(4096):
            connection.sendall(data)


def accept_all(listener) -> None:
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=echo, args=(connection,), daemon=True).start()


def serve(ports: list) -> None:
    listeners = [socket.create_server(("0.0.0.0", port)) for port in ports]
    threads = [threading.Thread(target=accept_all, args=(each,), daemon=True) for each in listeners]
    for each in threads:
        each.start()
    print("listening", flush=True)
    for each in threads:
        each.join()


def beat(address: str, port: int, count: int) -> None:
    with socket.create_connection((address, port), LIMIT_S) as connection:
        connection.settimeout(LIMIT_S if count == 1 else None)
        for number in range(count):
            connection.sendall(b"x")
            if connection.recv(1) != b"x":
                sys.exit("another byte came back")
            print(f"beat {number}", flush=True)
            time.sleep(BEAT_S)


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve([int(port) for port in sys.argv[2:]])
    else:
        beat(sys.argv[2], int(sys.argv[3]), 1 if sys.argv[1] == "try" else 10_000)
