"""The part of the report about the engine alone: build/bench/pps.json as tables."""

from report.tables import figure, table, times

HEAD = ["seal alone", "encap", "÷", "open alone", "decap", "÷"]


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
        "is the median of the batches' own ratios. The wire is memory, by reference, or a DPDK "
        "port of two rings with all headers and checks; there, a driver that only forwards takes "
        f"{figure(pps['forwarding_ns'])} ns a frame.",
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
    ]


def cells(row: dict) -> list:
    return [text for way in ("encap", "decap")
            for text in (figure(row[way]["aead_ns"]["median"]),
                         figure(row[way]["engine_ns"]["median"]),
                         times(row[way]["ratio"]["median"]))]
