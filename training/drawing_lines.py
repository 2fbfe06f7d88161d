"""Charts of lines as one standalone SVG, for a document: it can be read on white and on black."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

Points = Sequence[tuple[float, float]]
WIDTH, HEIGHT = 380, 300
LEFT, RIGHT, TOP, BOTTOM = 48, 20, 34, 70
# About as wide as a letter of the legend.
LETTER = 6.4
GREY, BLUE, ORANGE, GREEN = "#8a8f98", "#2f7fe0", "#d9772b", "#3a9a5b"
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #3b4048 }
.title { font-weight: 600 }
.grid { stroke: #d8dbe0; stroke-width: 1 }
@media (prefers-color-scheme: dark) {
  text { fill: #d3d7dd }
  .grid { stroke: #454a52 }
}
"""


@dataclass(frozen=True, slots=True)
class Line:
    """Points from left to right; `around` each, if given, is how far a band reaches up and down."""

    name: str
    colour: str
    points: Points
    around: Sequence[float] = ()

    @property
    def band(self) -> Sequence[float]:
        return self.around or [0.0] * len(self.points)


@dataclass(frozen=True, slots=True)
class Panel:
    """One chart; `across` is what its horizontal axis counts, from 0 on."""

    title: str
    across: str
    lines: Sequence[Line]


def draw(panels: Sequence[Panel]) -> str:
    """The panels side by side."""
    width = WIDTH * len(panels)
    inner = "".join(
        f'<g transform="translate({WIDTH * at} 0)">{"".join(_panel(panel))}</g>'
        for at, panel in enumerate(panels)
    )
    titles = " and ".join(f"{panel.title} against {panel.across}" for panel in panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" '
        f'height="{HEIGHT}" role="img" aria-label="{escape(titles)}">'
        f"<style>{STYLE}</style>{inner}</svg>\n"
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """From values of the two axes to places in a panel."""

    most: float
    low: float
    high: float

    def at(self, along: float, value: float) -> tuple[float, float]:
        across = (WIDTH - LEFT - RIGHT) * along / self.most
        up = (HEIGHT - TOP - BOTTOM) * (value - self.low) / (self.high - self.low)
        return round(LEFT + across, 1), round(HEIGHT - BOTTOM - up, 1)


def _panel(panel: Panel) -> Iterator[str]:
    scale = _scale(panel.lines)
    yield f'<text class="title" x="{LEFT}" y="20">{escape(panel.title)}</text>'
    yield from _grid(scale, panel.across)
    for line in panel.lines:
        yield _band(line, scale)
    for line in panel.lines:
        yield _line(line, scale)
    x = float(LEFT)
    for line in panel.lines:
        y = HEIGHT - 10
        yield f'<rect x="{x}" y="{y - 8}" width="14" height="4" fill="{line.colour}"/>'
        yield f'<text x="{x + 20}" y="{y - 2}">{escape(line.name)}</text>'
        x += 34 + LETTER * len(line.name)


def _grid(scale: _Scale, across: str) -> Iterator[str]:
    for value in _ticks(scale.low, scale.high):
        x, y = scale.at(0, value)
        yield f'<line class="grid" x1="{x}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{x - 8}" y="{y + 4}" text-anchor="end">{value:.2f}</text>'
    for along in _ticks(0, scale.most):
        x, y = scale.at(along, scale.low)
        yield f'<text x="{x}" y="{y + 18}" text-anchor="middle">{along:,.0f}</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    y = HEIGHT - BOTTOM + 36
    yield f'<text x="{middle}" y="{y}" text-anchor="middle">{escape(across)}</text>'


def _line(line: Line, scale: _Scale) -> str:
    places = [scale.at(*point) for point in line.points]
    path = " ".join(f"{x},{y}" for x, y in places)
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="3" fill="{line.colour}"/>' for x, y in places)
    drawn = f'<polyline points="{path}" fill="none" stroke="{line.colour}" stroke-width="2"/>'
    return drawn + dots


def _band(line: Line, scale: _Scale) -> str:
    sides = list(zip(line.points, line.band, strict=True))
    upper = [scale.at(x, y + around) for (x, y), around in sides]
    lower = [scale.at(x, y - around) for (x, y), around in sides]
    path = " ".join(f"{x},{y}" for x, y in [*upper, *reversed(lower)])
    return f'<polygon points="{path}" fill="{line.colour}" fill-opacity="0.16"/>'


def _scale(lines: Sequence[Line]) -> _Scale:
    ends = [
        value + sign * around
        for line in lines
        for (_, value), around in zip(line.points, line.band, strict=True)
        for sign in (-1, 1)
    ]
    most = max((along for line in lines for along, _ in line.points), default=0)
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = max(0.01, 0.08 * (high - low))
    return _Scale(most or 1.0, max(0.0, low - room), high + room)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between the two, about five of them."""
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next(by for by in (1, 2, 5, 10) if (high - low) / (step * by) <= 6)
    return [at * step for at in range(math.ceil(low / step), math.floor(high / step) + 1)]
