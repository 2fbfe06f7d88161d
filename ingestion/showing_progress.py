"""Show how far a corpus is on its way through the pipeline: bars on a terminal, lines in a log."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

SECONDS_BETWEEN_LINES = 15.0
BARS = ("Parsed", "Searchable", "Vectors", "Units")


def in_words(seconds: float | None) -> str:
    """A rough duration for people: "about 4 min left"; empty for None."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s left"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left"


class Display:
    """Draws what `pipeline.progress()` returns; `update` may be called as often as is handy."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._line = ""
        self._line_at = float("-inf")
        self._progress = Progress(
            TextColumn("{task.description:<10}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
        )
        self._bars = {name: self._progress.add_task(name, total=None, note="") for name in BARS}

    def say(self, text: str) -> None:
        """A line of its own, above the bars if they are drawn."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def update(self, counts: Mapping[str, Any]) -> None:
        """Draw these counts; in a log, a line when they changed and a while has passed."""
        if self.console.is_terminal:
            self._draw(counts)
        else:
            self._log(counts)

    def _draw(self, counts: Mapping[str, Any]) -> None:
        whole = counts["received"] + counts["parsed"]
        aside = f"{counts['duplicate']} duplicates, {counts['quarantined']} quarantined"
        if counts["retrying"]:
            aside += f", {counts['retrying']} to be tried again"
        self._bar("Parsed", counts["parsed"], whole, aside)
        self._bar("Searchable", counts["searchable"], whole, "")
        left = "" if is_complete(counts) else in_words(counts["seconds_left"])
        self._bar("Vectors", counts["chunks_embedded"], counts["chunks_total"], left)
        self._bar("Units", counts["with_units"], counts["searchable"], "documents")

    def _bar(self, name: str, completed: int, total: int, note: str) -> None:
        self._progress.update(self._bars[name], completed=completed, total=total or None, note=note)

    def _log(self, counts: Mapping[str, Any]) -> None:
        left = in_words(counts["seconds_left"])
        line = (
            f"{counts['total']} received: {counts['parsed']} parsed, "
            f"{counts['searchable']} searchable, {counts['duplicate']} duplicates, "
            f"{counts['quarantined']} quarantined; "
            f"{counts['chunks_embedded']} of {counts['chunks_total']} vectors, "
            f"{counts['recognised']} read for mentions, {counts['with_units']} with units"
        )
        now = time.monotonic()
        due = now - self._line_at > SECONDS_BETWEEN_LINES or is_complete(counts)
        if line != self._line and due:
            self._line, self._line_at = line, now
            self.say(line if is_complete(counts) or not left else f"{line}, {left}")

    @contextmanager
    def bars(self) -> Iterator[None]:
        """Keep the bars on the terminal for the time of the block; a log gets lines only."""
        if not self.console.is_terminal:
            yield
            return
        with self._progress:
            yield


def is_searchable(counts: Mapping[str, Any]) -> bool:
    """Whether every document that can be searched is; failures that wait for another try aside."""
    waiting = counts["received"] + counts["parsed"] - counts["searchable"]
    return bool(counts["total"]) and waiting <= counts["retrying"]


def is_complete(counts: Mapping[str, Any]) -> bool:
    """Whether every searchable document has all its vectors, too."""
    return is_searchable(counts) and counts["chunks_embedded"] >= counts["chunks_total"]
