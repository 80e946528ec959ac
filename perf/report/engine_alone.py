"""The part of the report about the engine alone: build/bench/pps.json as tables."""

from report.tables import figure, table, times

HEAD = ["seal alone", "encap", "÷", "+", "open alone", "decap", "÷", "+"]


def sections(pps: dict) -> list:
    rows = pps["rows"]
    packets = [row for row in rows if not row["super"] and row["idle"] == 0]
    supers = [row for row in rows if row["super"]]
    idle = [row for row in rows if row["idle"]]
    size = pps["segment_size"]
    return [
        "### The engine alone",
        f"One core, AEAD: {pps['aead']}; ns, medians of {pps['batches']} "
        "batches. \"Alone\" is the AEAD without the rest over the same bytes, in the same run; ÷ "
        "is the median of the batches' own ratios, + of their differences: what all but the AEAD "
        "takes. The wire is memory, by reference; or a DPDK port with all headers and checks: of "
        "two rings (net_ring), or of shared memory (net_memif), which its driver copies into and "
        "out of.",
        f"Packets, ns each, bursts of {pps['burst']}:",
        table(["wire", "suite", "peers", "bytes", *HEAD],
              [[row["wire"], row["suite"], f"{row['peers']:,}", row["bytes"], *cells(row)]
               for row in packets]),
        f"Super-packets of {pps['segments']} segments of {size:,} bytes, ns each; those that are "
        "opened become one frame again:",
        table(["suite", "bytes", *HEAD],
              [[row["suite"], f"{row['bytes']:,}", *cells(row)] for row in supers]),
        "One peer talks, and others have sessions and are silent; ns a packet:",
        table(["idle peers", "bytes", *HEAD],
              [[f"{row['idle']:,}", row["bytes"], *cells(row)] for row in idle]),
        "Datagrams that are relayed, ns each, and a train of "
        f"{pps['segments']}; between so many pairs in random order:",
        table(["wire", "pairs", "bytes", "relay"],
              [[row["wire"], f"{row['pairs']:,}", f"{row['bytes']:,}",
                figure(row["relay_ns"]["median"])]
               for row in pps.get("relay", [])]),
        *ports_sections(pps.get("ports")),
    ]


def ports_sections(ports: dict | None) -> list:
    if not ports:
        return []
    left_out = ports["without_testpmd"]
    return [
        "### On DPDK ports, next to dpdk-testpmd",
        f"ns for a frame of 64 bytes, one core, medians of {ports['rounds']} rounds in which all "
        "took turns; ÷ is the median of the rounds' own ratios. \"io\" sends each frame on as it "
        "came, \"mac\" with other Ethernet addresses; ours are the same calls of the driver in "
        "the engine's measure. dpdk-testpmd's frames go round: on net_ring through one port whose "
        "rings are its own other end, on net_memif between client and server of one process."
        + (f" It is not among them: {left_out}." if left_out else ""),
        table(["port", "testpmd io", "ours", "÷", "testpmd mac", "ours", "÷"],
              [[row["wire"], *(text for mode in ("io", "mac")
                               for text in (of(row, f"testpmd_{mode}"), of(row, mode),
                                            times(row["median"].get(f"{mode}_to_testpmd"))))]
               for row in ports["rows"]]),
        "The whole engine in the same rounds: a datagram of 104 bytes relayed, next to "
        "dpdk-testpmd's mac, and packets of 64 bytes (AES-256-GCM, one peer):",
        table(["port", "relay", "÷ testpmd mac", "seal alone", "encap", "+", "open alone", "decap",
               "+"],
              [[row["wire"], of(row, "relay"), times(row["median"].get("relay_to_testpmd")),
                *(of(row, f"{way}{what}") for way in ("encap", "decap")
                  for what in ("_aead", "", "_beyond"))]
               for row in ports["rows"]]),
    ]


def of(row: dict, name: str) -> str:
    return figure(row["median"].get(name))


def cells(row: dict) -> list:
    return [text for way in ("encap", "decap")
            for text in (figure(row[way]["aead_ns"]["median"]),
                         figure(row[way]["engine_ns"]["median"]),
                         times(row[way]["ratio"]["median"]),
                         figure(row[way]["beyond_ns"]["median"]))]
