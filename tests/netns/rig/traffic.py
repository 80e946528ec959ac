"""TCP and UDP between hosts, with iperf3 and socat."""

import hashlib
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from rig.conditions import Failure, expect, wait_until
from rig.world import Host

PORT = 5201


class IperfServer:
    """One iperf3 server; it serves one test after another."""

    def __init__(self, host: Host, address: str, port: int = PORT):
        self.address, self.port = address, port
        self._process = host.start("iperf3", "-s", "-B", address, "-p", port, "--forceflush",
                                   name=f"iperf3-{port}")
        self._process.wait_for_line("listening", 5)

    def await_ready(self) -> None:
        """It resets whoever comes while it is not done with the last one."""
        def ready():
            log = self._process.log()
            return log.rfind("Server listening") > log.rfind("Accepted connection")
        wait_until("iperf3 to be done with the last test", ready, 5, 0.01)

    def stop(self) -> None:
        self._process.kill()


def iperf(client: Host, server: IperfServer, seconds: float, *options) -> dict:
    """Runs a test; returns the "end" part of iperf3's report."""
    return iperf_report(client, server, seconds, *options)["end"]


def iperf_report(client: Host, server: IperfServer, seconds: float, *options) -> dict:
    server.await_ready()
    outcome = client.run("iperf3", "-c", server.address, "-p", server.port, "-t", seconds, "-J",
                         "--connect-timeout", "5000", *options, check=False,
                         limit_s=seconds + 30)
    try:
        report = json.loads(outcome.stdout)
    except ValueError:
        raise Failure(f"iperf3 printed no report: {outcome.stderr or outcome.stdout}") from None
    if "error" in report:
        raise Failure(f"iperf3: {report['error']}")
    return report


def longest_stall_s(client: Host, server: IperfServer, seconds: float, during) -> float:
    """Runs one TCP stream, back from the server, and `during` beside it; returns the longest time
    in which nothing arrived."""
    with ThreadPoolExecutor(1) as pool:
        stream = pool.submit(iperf_report, client, server, seconds, "-R", "-i", "0.1")
        during()
        intervals = stream.result()["intervals"]
    longest = stalled = 0.0
    for each in intervals:
        stalled = 0.0 if each["sum"]["bytes"] else stalled + each["sum"]["seconds"]
        longest = max(longest, stalled)
    return longest


def tcp_mbit(client: Host, server: IperfServer, seconds: float, streams: int = 1,
             *options) -> float:
    end = iperf(client, server, seconds, "-P", streams, *options)
    return end["sum_received"]["bits_per_second"] / 1e6


def udp_received_pps(client: Host, server: IperfServer, seconds: float, size: int,
                     mbit: float = 0) -> float:
    """Datagrams a second that arrived; `mbit` 0 = as fast as the sender can."""
    end = iperf(client, server, seconds, "-u", "-l", size, "-b", f"{mbit}M")
    total = end["sum"]
    return (total["packets"] - total["lost_packets"]) / total["seconds"]


def batched_udp(sender: Host, receiver: Host, address: str, size: int, seconds: int,
                program: Path, port: int = 5400) -> tuple:
    """Datagrams sent and arrived, with udp_rate, which makes one system call for 64 of them."""
    log = f"udp_rate-{port}"
    (receiver.directory / f"{log}.log").unlink(missing_ok=True)
    process = receiver.start(program, "receive", address, port, name=log)
    process.wait_for_line("listening", 5)
    sent = sender.run(program, "send", address, port, size, seconds, limit_s=seconds + 10).stdout
    expect(process.wait(20) == 0, f"udp_rate failed: {process.last_line()}")
    return int(sent), int(process.last_line())


def transfer(sender: Host, receiver: Host, address: str, megabytes: int, port: int = 5300,
             limit_s: float = 60) -> None:
    """Sends random bytes by TCP to `address` of the receiver and compares their digests."""
    source, copy = sender.directory / "sent", receiver.directory / "received"
    source.write_bytes(os.urandom(megabytes << 20))
    copy.unlink(missing_ok=True)
    server = receiver.start("socat", "-u", f"TCP-LISTEN:{port},bind={address},reuseaddr",
                            f"OPEN:{copy},creat", name=f"socat-{port}")
    wait_until("the receiver listens",
               lambda: f":{port} " in receiver.run("ss", "-tln").stdout, 5)
    sender.run("socat", "-u", f"FILE:{source}", f"TCP:{address}:{port},connect-timeout=5",
               limit_s=limit_s)
    expect(server.wait(10) == 0, f"the receiver failed: {server.last_line()}")
    expect(digest(source) == digest(copy), "what arrived is not what was sent")


def digest(file) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()
