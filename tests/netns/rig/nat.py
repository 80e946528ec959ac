"""Hosts behind NATs of every kind, made with nftables on a gateway of their own.

    host 172.20.N.2 ── 172.20.N.1 gateway 10.9.M.2 ── router

A gateway can be behind another one, as with carrier-grade NAT. Or a host has no NAT, and a firewall
that lets it talk to one other host only. Port 4545 keeps its number outside,
as most NATs do it, but for the symmetric one. What nobody has asked for is dropped without an
answer, as home routers do it: an answer would spoil the mapping that the inside is about to make.
"""

from rig.node import PORT
from rig.world import Host, World, run

NONE, FULL_CONE = "none", "full-cone"
ADDRESS_RESTRICTED, PORT_RESTRICTED = "address-restricted", "port-restricted"
SYMMETRIC = "symmetric"
KINDS = (NONE, FULL_CONE, ADDRESS_RESTRICTED, PORT_RESTRICTED, SYMMETRIC)
# A symmetric NAT behind another NAT, and no NAT but a firewall.
CARRIER_GRADE, BLOCKED = "carrier-grade", "blocked"

# What a node calls how they map, and what they let in.
MAPPINGS = {NONE: "none", FULL_CONE: "endpoint-independent",
            ADDRESS_RESTRICTED: "endpoint-independent", PORT_RESTRICTED: "endpoint-independent",
            SYMMETRIC: "endpoint-dependent"}
FILTERINGS = {NONE: "unknown", FULL_CONE: "endpoint-independent",
              ADDRESS_RESTRICTED: "address-dependent",
              PORT_RESTRICTED: "address- and port-dependent",
              SYMMETRIC: "address- and port-dependent"}


def _rules(kind: str, inside: str) -> str:
    high = "1024-65535"
    let_in = {FULL_CONE: f'iifname "eth0" udp dport {high} dnat to {inside}',
              ADDRESS_RESTRICTED: f'iifname "eth0" udp dport {high}'
                                  f' ip saddr . udp dport @sent dnat to {inside}'}.get(kind, "")
    how = "masquerade fully-random" if kind == SYMMETRIC else "masquerade"
    return f"""
table ip nat {{
  set sent {{ type ipv4_addr . inet_service; flags dynamic,timeout; timeout 2m; }}
  chain prerouting {{ type nat hook prerouting priority dstnat; {let_in}; }}
  chain postrouting {{ type nat hook postrouting priority srcnat; oifname "eth0" {how}; }}
  chain forward {{
    type filter hook forward priority filter;
    oifname "eth0" meta l4proto udp add @sent {{ ip daddr . udp sport }};
  }}
  chain input {{ type filter hook input priority filter; iifname "eth0" meta l4proto udp drop; }}
}}
"""


def behind(world: World, name: str, *kinds: str) -> Host:
    """A new host behind gateways of these kinds, the outermost first; NONE or BLOCKED: one at the
    router, whose firewall the caller makes."""
    if kinds in ((NONE,), (BLOCKED,)):
        return world.host(name)
    if kinds == (CARRIER_GRADE,):
        kinds = (PORT_RESTRICTED, SYMMETRIC)
    outer = world.host(f"{name}-nat")
    for level, kind in enumerate(kinds, 1):
        last = level == len(kinds)
        inner = _inside(world, outer, name if last else f"{name}-nat{level + 1}", kind)
        outer = inner
    return outer


def _inside(world: World, gateway: Host, name: str, kind: str) -> Host:
    """A new host inside a gateway, which becomes a NAT of this kind."""
    number = len(world.hosts)
    host = world.inner_host(name, f"172.20.{number}.2")
    gateway.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
    run("ip", "-n", gateway.namespace, "link", "add", "inside", "type", "veth",
        "peer", "name", "eth0", "netns", host.namespace)
    for namespace, link, address in ((gateway.namespace, "inside", f"172.20.{number}.1/24"),
                                     (host.namespace, "eth0", f"{host.address}/24")):
        run("ip", "-n", namespace, "address", "add", address, "dev", link)
        run("ip", "-n", namespace, "link", "set", link, "up")
    host.run("ip", "route", "add", "default", "via", f"172.20.{number}.1")
    rules = gateway.directory / "nat.nft"
    rules.write_text(_rules(kind, host.address), encoding="utf-8")
    gateway.run("nft", "-f", rules)
    return host


def give_ipv6(world: World, host: Host, gateway: Host | None = None) -> str:
    """An IPv6 address from the router, through the gateway if there is one, without a NAT; returns
    it."""
    router = world.router()
    link = world.link_of(gateway or host)
    number = (gateway or host).address.split(".")[2]
    outside, inside = f"2001:db8:{number}", f"2001:db8:1{number}"
    if gateway is None:
        router.run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
        for each, device, address in ((router, link, f"{outside}::1"),
                                      (host, "eth0", f"{outside}::2")):
            each.run("ip", "address", "add", f"{address}/64", "dev", device, "nodad")
        host.run("ip", "route", "add", "default", "via", f"{outside}::1")
        return f"{outside}::2"
    for each in (router, gateway):
        each.run("sysctl", "-qw", "net.ipv6.conf.all.forwarding=1")
    for each, device, address in (
            (router, link, f"{outside}::1"), (gateway, "eth0", f"{outside}::2"),
            (gateway, "inside", f"{inside}::1"), (host, "eth0", f"{inside}::2")):
        each.run("ip", "address", "add", f"{address}/64", "dev", device, "nodad")
    router.run("ip", "route", "add", f"{inside}::/64", "via", f"{outside}::2")
    gateway.run("ip", "route", "add", "default", "via", f"{outside}::1")
    host.run("ip", "route", "add", "default", "via", f"{inside}::1")
    return f"{inside}::2"


def allow_only(host: Host, *others: Host) -> None:
    """A firewall on the host itself: UDP to and from these, nothing else."""
    open_to = ", ".join(other.address for other in others)
    rules = host.directory / "firewall.nft"
    rules.write_text(f"""
table ip firewall {{
  chain out {{ type filter hook output priority filter;
               oifname "eth0" meta l4proto udp ip daddr != {{ {open_to} }} drop; }}
  chain in {{ type filter hook input priority filter;
              iifname "eth0" meta l4proto udp ip saddr != {{ {open_to} }} drop; }}
}}
""", encoding="utf-8")
    host.run("nft", "-f", rules)


def _kinds(one: str, other: str) -> set:
    return {SYMMETRIC if kind == CARRIER_GRADE else kind for kind in (one, other)}


def reaches(one: str, other: str) -> bool:
    """Whether two nodes behind these can meet by sending at once, without guessing ports."""
    if BLOCKED in (one, other):
        return False
    kinds = _kinds(one, other)
    return SYMMETRIC not in kinds or not kinds <= {SYMMETRIC, PORT_RESTRICTED}


def reaches_by_guessing(one: str, other: str) -> bool:
    """Whether they can meet by guessing ports, and not without."""
    return _kinds(one, other) == {SYMMETRIC, PORT_RESTRICTED}
