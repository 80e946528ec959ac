"""Tables in Markdown, and figures with as many digits as mean something."""


def figure(value) -> str:
    """Three digits that count, thousands with commas: 19,753 and 1,274 and 0.182."""
    if value is None:
        return "–"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 1 else f"{value:.3f}"


def times(value) -> str:
    """A ratio."""
    if value is None:
        return "–"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def percent(part) -> str:
    return "–" if part is None else f"{100 * part:.1f} %"


def table(head: list, rows: list) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
