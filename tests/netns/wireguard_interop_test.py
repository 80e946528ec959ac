"""A plain WireGuard peer, Debian's wireguard-go, in a static entry of the configuration.

    alice ipopd        192.168.10.10 (10.9.1.2) ─┐
                                                 ├─ router
    wg    wireguard-go 192.168.10.30 (10.9.2.2) ─┘

Rekeying takes minutes, so one case uses ipopd_fast_timers, whose handshake timers run twenty times
as fast: it rekeys every six seconds, wireguard-go just answers.
"""

from rig.cases import run_cases
from rig.conditions import expect, wait_until
from rig.node import NETWORK, PORT, Node
from rig.ping import PingStream, ping
from rig.traffic import transfer
from rig.wireguard import WireGuardHost

WG_ADDRESS = "192.168.10.30"
REKEYS = 2


def alice_and_wireguard(world, endpoint_known: bool, program: str = "ipopd", psk: bool = False):
    """`endpoint_known`: alice knows where the other is, and not the other way round."""
    alice = Node(world.host("alice"), program)
    wg = WireGuardHost(world.host("wg"), WG_ADDRESS)
    wg.start()
    alice.init(10, ["127.0.0.1:9"])
    psk_line = ""
    psk_file = None
    if psk:
        key = wg.host.run("wg", "genpsk").stdout.strip()
        psk_file = wg.host.directory / "psk"
        psk_file.write_text(key + "\n", encoding="ascii")
        psk_line = f"      preshared_key: {key}\n"
    endpoint_line = f"      endpoint: {wg.endpoint}\n" if endpoint_known else ""
    alice.configure(f"""
network: {{name: {NETWORK}, address: 192.168.10.10/24, hostname: alice}}
overlay:
  listen: ["0.0.0.0:{PORT}"]
  bootstrap: ["127.0.0.1:9"]
  peers:
    - name: wg
      public_key: {wg.public_key}
      allowed_ips: [{WG_ADDRESS}/32]
      protocol: wireguard
{endpoint_line}{psk_line}
""", "192.168.10.10")
    alice.start()
    key = alice.status()["public_key"]
    wg.add_peer(key, "192.168.10.10/32", "" if endpoint_known else alice.endpoint, psk_file)
    return alice, wg


def test_alice_calls_a_wireguard_peer(world):
    alice, wg = alice_and_wireguard(world, endpoint_known=True)
    pings = ping(alice.host, wg.address, 20, wait_s=3)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    transfer(alice.host, wg.host, wg.address, 10)
    transfer(wg.host, alice.host, alice.address, 10)
    peer = alice.peer(wg.address)
    expect(peer["cipher"] == "chacha20-poly1305", f"cipher is {peer['cipher']}")


def test_a_wireguard_peer_calls_alice(world):
    alice, wg = alice_and_wireguard(world, endpoint_known=False)
    pings = ping(wg.host, alice.address, 20, wait_s=3)
    expect(pings.lost == 0, f"lost pings number {pings.lost_numbers()}")
    transfer(wg.host, alice.host, alice.address, 10)
    # A peer that forgets its session calls anew.
    key = alice.status()["public_key"]
    for _ in range(REKEYS):
        wg.remove_peer(key)
        wg.add_peer(key, "192.168.10.10/32", alice.endpoint)
        expect(ping(wg.host, alice.address, 5, wait_s=3).lost == 0, "lost after a new handshake")
    expect(ping(alice.host, wg.address, 5, wait_s=3).lost == 0, "alice cannot answer")


def test_a_preshared_key_is_used(world):
    alice, wg = alice_and_wireguard(world, endpoint_known=True, psk=True)
    expect(ping(alice.host, wg.address, 5, wait_s=3).lost == 0, "pings were lost")


def test_a_wrong_preshared_key_never_connects(world):
    alice, wg = alice_and_wireguard(world, endpoint_known=True, psk=True)
    other = wg.host.directory / "other-psk"
    other.write_text(wg.host.run("wg", "genpsk").stdout, encoding="ascii")
    wg.add_peer(alice.status()["public_key"], "192.168.10.10/32", psk_file=other)
    expect(not ping(alice.host, wg.address, 3, 0.5).replies, "they talk with different keys")


def test_two_rekeys_lose_nothing(world):
    alice, wg = alice_and_wireguard(world, endpoint_known=True, program="ipopd_fast_timers")
    expect(ping(alice.host, wg.address, 3, wait_s=3).lost == 0, "pings were lost at the start")
    stream = PingStream(alice.host, wg.address)
    last = wg.handshake_at()
    for number in range(REKEYS):
        def rekeyed(before=last):
            now = wg.handshake_at()
            return now if now > before else 0
        last = wait_until(f"rekey {number + 1}", rekeyed, 20, 0.2)
    wait_until("replies after the last rekey", lambda n=len(stream.so_far().replies):
               len(stream.so_far().replies) > n + 20, 5)
    pings = stream.finish()
    lost = [n for n in pings.lost_numbers() if n < pings.sent]
    expect(not lost, f"lost pings number {lost} of {pings.sent}")


if __name__ == "__main__":
    run_cases(globals())
