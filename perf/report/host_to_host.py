"""The part of the report about speed from host to host: build/bench/netns.json as tables."""

from report.tables import figure, percent, table, times


def sections(netns: dict) -> list:
    rows = netns["rows"]
    names = [name for name in netns["systems"] if any(name in row["systems"] for row in rows)]
    labels = {name: label_of(netns["systems"][name]) for name in names}
    heads = [f"{row['title']}, {row['unit']}" for row in rows]
    parts = [
        "### From host to host",
        f"{rounds_of(netns)}, {netns['seconds']} s for each TCP and UDP figure. "
        "Both ends and all that encrypts share this machine's cores.",
        "![Speed from host to host](throughput.svg)",
        table(["system", *heads],
              [[labels[name], *(figure(median(row, name)) for row in rows)] for name in names]),
    ]
    if "tapipop" in names:
        parts += [
            "tapipop's figure divided by the other's; for round trips, less is better:",
            table(["tapipop ÷", *(row["title"] for row in rows)],
                  [[labels[name], *(times(row["tapipop_to"].get(name)) for row in rows)]
                   for name in names if name != "tapipop"]),
        ]
    costly = [name for name in names if name != "bare"]
    lossy = [row for row in rows if any(of(row, name, "loss") is not None for name in names)]
    parts += [
        "Packets that never came (the sender of UDP is faster than any receiver):",
        table(["system", *(row["title"] for row in lossy)],
              [[labels[name], *(percent(of(row, name, "loss")) for row in lossy)]
               for name in names]),
        "Cores that the system's own processes kept busy, both ends together:",
        table(["system", *(row["title"] for row in rows)],
              [[labels[name], *(times(of(row, name, "cores")) for row in rows)]
               for name in costly]),
    ]
    parts += [f"{name} was left out: {why}." for name, why in netns["left_out"].items()]
    return parts


def rounds_of(netns: dict) -> str:
    return f"Medians of {netns['rounds']} rounds" if netns["rounds"] > 1 else "One round"


def label_of(system: dict) -> str:
    return " ".join(filter(None, (system["label"], system["version"])))


def of(row: dict, name: str, field: str):
    return row["systems"].get(name, {}).get(field)


def median(row: dict, name: str):
    return of(row, name, "median")
