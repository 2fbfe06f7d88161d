"""Record measured numbers; thresholds for them are names with numbers in `thresholds.py`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from docintel.models import Measurement


def record(name: str, value: float, **labels: str | float | bool | None) -> None:
    """Append one measurement; labels are small values that it can be grouped by."""
    Measurement.objects.create(name=name, value=value, labels=labels)


@contextmanager
def timed(name: str, **labels: str | float | bool | None) -> Iterator[None]:
    """Record the seconds that the block took, also when it raises."""
    start = time.perf_counter()
    try:
        yield
    finally:
        record(name, time.perf_counter() - start, **labels)
