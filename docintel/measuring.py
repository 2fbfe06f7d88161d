"""Record measured numbers. A name ends in its unit where it has one: `parse_seconds`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import timedelta

from django.utils import timezone

from docintel.models import Measurement

# Longer than any report looks back.
KEPT = timedelta(days=120)
_waiting: ContextVar[list[Measurement] | None] = ContextVar("measured", default=None)


class Timed:
    """What keeps `seconds` by step gets `timed`; a step that is taken twice counts both times."""

    __slots__ = ()
    seconds: dict[str, float]

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = self.seconds.get(step, 0.0) + time.perf_counter() - start


def record(name: str, value: float, **labels: str | float | bool | None) -> None:
    """Append one measurement; labels are small values that it can be grouped by."""
    row = Measurement(name=name, value=value, labels=labels)
    waiting = _waiting.get()
    if waiting is None:
        row.save()
    else:
        waiting.append(row)


@contextmanager
def written_together() -> Iterator[None]:
    """What is recorded inside is written at the end, at once, and waits for nothing before."""
    rows: list[Measurement] = []
    token = _waiting.set(rows)
    try:
        yield
    finally:
        _waiting.reset(token)
        Measurement.objects.bulk_create(rows)


def forget_old() -> int:
    """Delete measurements older than `KEPT`; how many."""
    deleted, _ = Measurement.objects.filter(recorded_at__lt=timezone.now() - KEPT).delete()
    return deleted
