"""A plot of bars, grouped by measure, as one SVG file: readable on light and on dark ground.

Each group has a scale of its own that starts at zero.
"""

from dataclasses import dataclass
from html import escape

WIDTH, LABELS, FIGURES, MARGIN = 800, 230, 90, 16
BAR, GAP, TITLE, BETWEEN = 15, 5, 30, 22

STYLE = """
text { font: 12px system-ui, "Helvetica Neue", Arial, sans-serif; fill: #24292f; }
.title { font-weight: 600; font-size: 14px; }
.unit, .note { fill: #57606a; }
.bare { fill: #8c959f; }
.ours { fill: #0969da; }
.rival { fill: #bc8c5f; }
.axis { stroke: #8c959f; stroke-width: 1; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; }
  .unit, .note { fill: #9da7b1; }
  .bare { fill: #6e7681; }
  .ours { fill: #4493f8; }
  .rival { fill: #a5764c; }
}
"""


@dataclass
class Bar:
    label: str
    value: float
    figure: str
    kind: str  # bare, ours or rival


@dataclass
class Group:
    title: str
    unit: str
    bars: list


def height_of(group: Group) -> int:
    return TITLE + len(group.bars) * (BAR + GAP) + BETWEEN


def plot(groups: list, note: str) -> str:
    height = MARGIN + sum(map(height_of, groups)) + 24
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
             f'width="{WIDTH}" height="{height}" role="img">', f"<style>{STYLE}</style>"]
    top = MARGIN
    for group in groups:
        parts += draw(group, top)
        top += height_of(group)
    parts += [f'<text class="note" x="{MARGIN}" y="{top + 8}">{escape(note)}</text>', "</svg>"]
    return "\n".join(parts) + "\n"


def draw(group: Group, top: int) -> list:
    left = MARGIN + LABELS
    room = WIDTH - left - FIGURES - MARGIN
    largest = max((bar.value for bar in group.bars), default=0) or 1
    parts = [f'<text class="title" x="{MARGIN}" y="{top + 14}">{escape(group.title)} '
             f'<tspan class="unit" font-weight="400">{escape(group.unit)}</tspan></text>']
    for number, bar in enumerate(group.bars):
        y = top + TITLE + number * (BAR + GAP)
        width = max(1.0, room * bar.value / largest)
        middle = y + BAR - 3.5
        parts += [
            f'<text x="{left - 8}" y="{middle}" text-anchor="end">{escape(bar.label)}</text>',
            f'<rect class="{bar.kind}" x="{left}" y="{y}" width="{width:.1f}" height="{BAR}" '
            f'rx="2"/>',
            f'<text x="{left + width + 6:.1f}" y="{middle}">{escape(bar.figure)}</text>',
        ]
    bottom = top + TITLE + len(group.bars) * (BAR + GAP) - GAP + 2
    parts.append(f'<line class="axis" x1="{left}" y1="{top + TITLE - 2}" x2="{left}" '
                 f'y2="{bottom}"/>')
    return parts
