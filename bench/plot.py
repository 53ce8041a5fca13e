"""Numbers in, an SVG of bars out: readable in light and dark, with every number written at its bar."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, BAR, GAP, HEAD, LABELS = 860, 18, 14, 34, 150
COLOURS = ("#9aa4b2", "#5b7fb5", "#2f8f6b", "#b5762f")


@dataclass(frozen=True, slots=True)
class Panel:
    """Groups of bars: for each label one value of each series."""

    title: str
    labels: Sequence[str]
    series: Mapping[str, Sequence[float]]


def picture(panels: Sequence[Panel]) -> str:
    """All panels under each other."""
    lines: list[str] = []
    top = 8
    for panel in panels:
        lines += _panel(panel, top)
        top += HEAD + sum((len(panel.series) * BAR + GAP) for _ in panel.labels)
    style = "text{font:13px sans-serif;fill:#777}.title{font-weight:bold}"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" role="img"><style>{style}</style>'
    return "\n".join([head, *lines, "</svg>", ""])


def _panel(panel: Panel, top: int) -> Iterator[str]:
    most = max((value for values in panel.series.values() for value in values), default=0) or 1
    scale = (WIDTH - LABELS - 260) / most
    yield f'<text class="title" x="0" y="{top + 14}">{escape(panel.title)}</text>'
    y = top + HEAD - 8
    for index, label in enumerate(panel.labels):
        yield f'<text x="0" y="{y + 13}">{escape(label)}</text>'
        for colour, (name, values) in zip(COLOURS, panel.series.items(), strict=False):
            width = values[index] * scale
            yield f'<rect x="{LABELS}" y="{y}" width="{width:.1f}" height="{BAR - 3}" fill="{colour}"/>'
            yield f'<text x="{LABELS + width + 6:.1f}" y="{y + 12}">{values[index]:g} {escape(name)}</text>'
            y += BAR
        y += GAP
