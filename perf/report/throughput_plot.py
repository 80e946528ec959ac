"""build/bench/netns.json as bars: a group for each measure, the systems in their order."""

from report.bars import Bar, Group, plot
from report.tables import figure


def throughput_plot(netns: dict, machine: dict) -> str:
    groups = []
    for row in netns["rows"]:
        bars = [Bar(system["label"], row["systems"][name]["median"],
                    figure(row["systems"][name]["median"]), system["kind"])
                for name, system in netns["systems"].items() if name in row["systems"]]
        if bars:
            better = "more" if row["more_is_better"] else "less"
            groups.append(Group(row["title"], f"{row['unit']}, {better} is better", bars))
    note = (f"Two namespaces on one machine: {machine['cpu']}, {machine['cores']} cores, "
            f"Linux {machine['kernel']}; {machine['date']}, {machine['commit']}")
    return plot(groups, note)
