"""Scores against corrections as a standalone SVG that can be read on white and on black."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from training.evaluation.flywheel_curves import Compared, Points

WIDTH, HEIGHT = 380, 300
LEFT, RIGHT, TOP, BOTTOM = 48, 12, 34, 70
COLOURS = {"random": "#8a8f98", "uncertainty": "#2f7fe0", "errors": "#d9772b"}
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
class Panel:
    """One chart: a line for each order, with one standard deviation of the seeds around it."""

    title: str
    compared: Compared


def draw(panels: Sequence[Panel]) -> str:
    """The panels side by side."""
    width = WIDTH * len(panels)
    inner = "".join(
        f'<g transform="translate({WIDTH * at} 0)">{"".join(_panel(panel))}</g>'
        for at, panel in enumerate(panels)
    )
    titles = " and ".join(panel.title for panel in panels)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT}" width="{width}" '
        f'height="{HEIGHT}" role="img" aria-label="{escape(titles)} against corrections">'
        f"<style>{STYLE}</style>{inner}</svg>\n"
    )


@dataclass(frozen=True, slots=True)
class _Scale:
    """From corrections and scores to places in a panel."""

    most: float
    low: float
    high: float

    def at(self, spent: float, value: float) -> tuple[float, float]:
        across = (WIDTH - LEFT - RIGHT) * spent / self.most
        up = (HEIGHT - TOP - BOTTOM) * (value - self.low) / (self.high - self.low)
        return round(LEFT + across, 1), round(HEIGHT - BOTTOM - up, 1)


def _panel(panel: Panel) -> Iterator[str]:
    curves, spread = panel.compared.curves, panel.compared.spread
    scale = _scale(panel.compared)
    yield f'<text class="title" x="{LEFT}" y="20">{escape(panel.title)}</text>'
    yield from _grid(scale)
    for order, points in curves.items():
        yield _band(points, spread[order], COLOURS[order], scale)
    for order, points in curves.items():
        yield _line(points, COLOURS[order], scale)
    for at, order in enumerate(curves):
        x, y = LEFT + 104 * at, HEIGHT - 10
        yield f'<rect x="{x}" y="{y - 8}" width="14" height="4" fill="{COLOURS[order]}"/>'
        yield f'<text x="{x + 20}" y="{y - 2}">{order}</text>'


def _grid(scale: _Scale) -> Iterator[str]:
    for value in _ticks(scale.low, scale.high):
        x, y = scale.at(0, value)
        yield f'<line class="grid" x1="{x}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}"/>'
        yield f'<text x="{x - 8}" y="{y + 4}" text-anchor="end">{value:.2f}</text>'
    for spent in _ticks(0, scale.most):
        x, y = scale.at(spent, scale.low)
        yield f'<text x="{x}" y="{y + 18}" text-anchor="middle">{spent:,.0f}</text>'
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text x="{middle}" y="{HEIGHT - BOTTOM + 36}" text-anchor="middle">corrections</text>'


def _line(points: Points, colour: str, scale: _Scale) -> str:
    places = [scale.at(*point) for point in points]
    path = " ".join(f"{x},{y}" for x, y in places)
    dots = "".join(f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>{dots}'


def _band(points: Points, around: Sequence[float], colour: str, scale: _Scale) -> str:
    upper = [scale.at(x, y + e) for (x, y), e in zip(points, around, strict=True)]
    lower = [scale.at(x, y - e) for (x, y), e in zip(points, around, strict=True)]
    path = " ".join(f"{x},{y}" for x, y in [*upper, *reversed(lower)])
    return f'<polygon points="{path}" fill="{colour}" fill-opacity="0.16"/>'


def _scale(found: Compared) -> _Scale:
    ends = [
        value + sign * around
        for order, points in found.curves.items()
        for (_, value), around in zip(points, found.spread[order], strict=True)
        for sign in (-1, 1)
    ]
    most = max((spent for points in found.curves.values() for spent, _ in points), default=0)
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    room = max(0.01, 0.08 * (high - low))
    return _Scale(most or 1.0, max(0.0, low - room), high + room)


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers between the two, about five of them."""
    step = 10 ** math.floor(math.log10((high - low) / 4))
    step *= next(by for by in (1, 2, 2.5, 5, 10) if (high - low) / (step * by) <= 6)
    return [at * step for at in range(math.ceil(low / step), math.floor(high / step) + 1)]
