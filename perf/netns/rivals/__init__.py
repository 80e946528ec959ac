"""Other user-space VPNs, each as its manual sets up two hosts; measured if they are installed."""

from netns.rivals.fastd import Fastd
from netns.rivals.n2n import N2n
from netns.rivals.nebula import Nebula
from netns.rivals.openvpn import OpenVpn
from netns.rivals.tinc import Tinc
from netns.rivals.wireguard_go import WireGuardGo

RIVALS = (WireGuardGo(), Nebula(), Tinc(), N2n(), Fastd(), OpenVpn())
