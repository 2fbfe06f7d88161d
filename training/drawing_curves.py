"""Small charts as SVG, made on the server; colours come from the page's style sheet by class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

ROW = 22
LEFT, WIDTH = 130, 300
HEIGHT = 150


@dataclass(frozen=True, slots=True)
class Bar:
    """One line of a comparison: a value with its interval, of the kind "candidate" or "live"."""

    name: str
    kind: str
    value: float
    interval: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Dot:
    """A value over a version; `strong` where that version went live."""

    name: str
    value: float
    interval: tuple[float, float] | None = None
    strong: bool = True


def bars(rows: Sequence[Bar], label: str) -> SafeString:
    """Values between 0 and 1 side by side, each a dot on the line of its interval."""
    ticks = format_html_join(
        "",
        '<line class="grid" x1="{0}" x2="{0}" y1="4" y2="{1}"/>'
        '<text class="tick" x="{0}" y="{2}" text-anchor="middle">{3}</text>',
        (
            (_across(at), len(rows) * ROW + 4, len(rows) * ROW + 18, f"{at:g}")
            for at in (0, 0.25, 0.5, 0.75, 1)
        ),
    )
    lines = format_html_join("", "{}", ((_bar(row, at),) for at, row in enumerate(rows)))
    return format_html(
        '<svg class="story-chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}</svg>',
        LEFT + WIDTH + 60, len(rows) * ROW + 24, label, ticks, lines,
    )  # fmt: skip


def curve(dots: Sequence[Dot], label: str) -> SafeString:
    """A line through values over versions, from 0 to a little over the greatest."""
    tops = [dot.interval[1] if dot.interval else dot.value for dot in dots]
    top = max([*tops, 1e-9]) * 1.1
    step = WIDTH / max(1, len(dots))
    places = [(30 + step * (at + 0.5), _down(dot.value, top)) for at, dot in enumerate(dots)]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    marks = format_html_join(
        "",
        "{}",
        ((_dot(dot, *place, top),) for dot, place in zip(dots, places, strict=True)),
    )
    return format_html(
        '<svg class="story-chart" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<line class="axis" x1="30" x2="{}" y1="{}" y2="{}"/>'
        '<polyline class="line" points="{}"/>{}</svg>',
        WIDTH + 40, HEIGHT + 26, label, WIDTH + 30, HEIGHT, HEIGHT, path, marks,
    )  # fmt: skip


def _bar(row: Bar, at: int) -> SafeString:
    y = at * ROW + 14
    low, high = row.interval or (row.value, row.value)
    return format_html(
        '<text class="name" x="{}" y="{}" text-anchor="end">{}</text>'
        '<line class="reach {}" x1="{}" x2="{}" y1="{}" y2="{}"/>'
        '<circle class="value {}" cx="{}" cy="{}" r="4.5"/>'
        '<text class="figure" x="{}" y="{}">{}</text>',
        LEFT - 10, y + 4, row.name, row.kind, _across(low), _across(high), y, y, row.kind,
        _across(row.value), y, LEFT + WIDTH + 10, y + 4, f"{row.value:.3f}",
    )  # fmt: skip


def _dot(dot: Dot, x: float, y: float, top: float) -> SafeString:
    low, high = dot.interval or (dot.value, dot.value)
    said = f"{dot.value:.3f}".rstrip("0").rstrip(".")
    return format_html(
        '<line class="reach live" x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>'
        '<circle class="{3}" cx="{0}" cy="{4}" r="4.5"/>'
        '<text class="figure" x="{5}" y="{6}">{7}</text>'
        '<text class="tick" x="{0}" y="{8}" text-anchor="middle">{9}</text>',
        f"{x:.1f}", f"{_down(low, top):.1f}", f"{_down(high, top):.1f}",
        "value live" if dot.strong else "value hollow", f"{y:.1f}", f"{x + 8:.1f}", f"{y - 6:.1f}",
        said, HEIGHT + 16, dot.name,
    )  # fmt: skip


def _across(share: float) -> float:
    return round(LEFT + WIDTH * min(1.0, max(0.0, share)), 1)


def _down(value: float, top: float) -> float:
    return HEIGHT - (HEIGHT - 12) * value / top
