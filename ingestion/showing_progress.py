"""Show how far a corpus is on its way through the pipeline: bars on a terminal, lines in a log."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from django.db.models import Count, Q, Sum
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from ingestion.models import ChunkVector, Document

SECONDS_BETWEEN_LINES = 15.0
RATE_SECONDS = 90.0


@dataclass(frozen=True, slots=True)
class Counts:
    """Documents by how far they are, and vectors of how many chunks."""

    received: int
    parsed: int
    searchable: int
    embedded: int
    duplicate: int
    quarantined: int
    waiting: int  # Not searchable yet, and not a failure that waits for its next attempt.
    chunks: int
    vectors: int

    @property
    def to_search(self) -> int:
        """Documents that will be searchable, as far as is known."""
        return self.received - self.duplicate - self.quarantined

    @property
    def is_searchable(self) -> bool:
        return self.received > 0 and not self.waiting

    @property
    def is_complete(self) -> bool:
        return self.is_searchable and self.vectors >= self.chunks

    @classmethod
    def now(cls) -> Counts:
        """One look at the tables; a few milliseconds."""
        current = Q(duplicate_of=None, quarantined_at=None)
        found = Document.objects.filter(dropped_at=None).aggregate(
            received=Count("pk"),
            parsed=Count("pk", filter=Q(parsed_at__isnull=False)),
            searchable=Count("pk", filter=current & Q(searchable_at__isnull=False)),
            embedded=Count("pk", filter=current & Q(embedded_at__isnull=False)),
            duplicate=Count("pk", filter=Q(duplicate_of__isnull=False)),
            quarantined=Count("pk", filter=Q(quarantined_at__isnull=False)),
            waiting=Count("pk", filter=current & Q(searchable_at=None, failed_reason="")),
            chunks=Sum("chunk_count", filter=current & Q(searchable_at__isnull=False)),
        )
        found["chunks"] = found["chunks"] or 0
        return cls(vectors=ChunkVector.objects.count(), **found)


class TimeLeft:
    """Estimates the seconds left from the rate of the last minute and a half."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def seconds(self, done: int, total: int, now: float | None = None) -> float | None:
        """None until there is a rate to go by."""
        now = time.monotonic() if now is None else now
        self._seen.append((now, done))
        while now - self._seen[0][0] > RATE_SECONDS:
            self._seen.popleft()
        began, before = self._seen[0]
        if done <= before or now - began < 5:
            return None
        return (total - done) * (now - began) / (done - before)


def in_words(seconds: float | None) -> str:
    """A rough duration for people: "about 4 min left"."""
    if seconds is None:
        return ""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s left"
    if seconds < 5400:
        return f"about {round(seconds / 60)} min left"
    return f"about {seconds / 3600:.1f} h left"


class Display:
    """Draws counts; `update` may be called as often as is handy."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self._left = TimeLeft()
        self._line = ""
        self._line_at = float("-inf")
        self._progress = Progress(
            TextColumn("{task.description:<11}"),
            BarColumn(bar_width=32),
            MofNCompleteColumn(),
            TextColumn("{task.fields[note]}"),
            console=console,
            transient=False,
            disable=not console.is_terminal,
        )
        self._bars: dict[str, TaskID] = {
            name: self._progress.add_task(name, total=None, note="")
            for name in ("Received", "Parsed", "Searchable", "Vectors")
        }

    def say(self, text: str) -> None:
        """A line above the bars."""
        self.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def update(self, counts: Counts) -> None:
        left = in_words(self._left.seconds(counts.vectors, counts.chunks))
        if counts.is_complete:
            left = ""
        if self.console.is_terminal:
            self._draw(counts, left)
        else:
            self._log(counts, left)

    def _draw(self, counts: Counts, left: str) -> None:
        aside = f"{counts.duplicate} duplicates, {counts.quarantined} quarantined"
        self._bar("Received", counts.received, counts.received, "")
        self._bar("Parsed", counts.parsed + self._lost(counts), counts.received, aside)
        self._bar("Searchable", counts.searchable, counts.to_search, "")
        self._bar("Vectors", counts.vectors, counts.chunks, left)

    def _lost(self, counts: Counts) -> int:
        return min(counts.quarantined, counts.received - counts.parsed)

    def _bar(self, name: str, completed: int, total: int, note: str) -> None:
        self._progress.update(self._bars[name], completed=completed, total=total or None, note=note)

    def _log(self, counts: Counts, left: str) -> None:
        line = (
            f"{counts.received} received, {counts.searchable} searchable, "
            f"{counts.vectors} of {counts.chunks} vectors, {counts.duplicate} duplicates, "
            f"{counts.quarantined} quarantined"
        )
        now = time.monotonic()
        due = now - self._line_at > SECONDS_BETWEEN_LINES or counts.is_complete
        if line != self._line and due:
            self._line, self._line_at = line, now
            self.say(f"{line}{'; ' if left else ''}{left}")

    @contextmanager
    def bars(self) -> Iterator[Callable[[Counts], None]]:
        """Keep the bars on the terminal for the time of the block."""
        self._progress.start()
        try:
            yield self.update
        finally:
            self._progress.stop()
