"""serve_files.py ADDRESS PORT DIRECTORY: serves its files by HTTP until it is ended.

Unlike `python3 -m http.server` it asks no name server for the name of its address, which would take
as long as a name server that does not answer.
"""

import functools
import http.server
import socketserver
import sys


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


def main() -> None:
    address, port, directory = sys.argv[1:]
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=directory)
    with Server((address, int(port)), handler) as server:
        print("serving", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main()
