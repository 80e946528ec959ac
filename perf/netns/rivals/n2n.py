"""n2n 1: two edges, and the supernode that introduces them on alice (Twofish)."""

from netns.rivals.rival import Rival

PORT = 7654


class N2n(Rival):
    name, label = "n2n", "n2n"
    package, programs = "n2n", ("edge", "supernode")

    def start(self, alice, bob) -> str:
        supernode = alice.start("supernode", "-l", PORT)
        addresses = {alice: "192.168.50.10", bob: "192.168.50.20"}
        supernode.must_run()
        for host, address in addresses.items():
            last = address.split(".")[-1]
            host.start("edge", "-d", "n2n", "-a", address, "-s", "255.255.255.0", "-c", "bench",
                       "-k", "a key for the measurement", "-m", f"02:00:00:00:00:{last}",
                       "-l", f"{alice.address}:{PORT}")
        return addresses[bob]
