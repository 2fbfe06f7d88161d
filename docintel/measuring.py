"""Record measured numbers. A name ends in its unit where it has one: `parse_seconds`."""

from __future__ import annotations

from docintel.models import Measurement


def record(name: str, value: float, **labels: str | float | bool | None) -> None:
    """Append one measurement; labels are small values that it can be grouped by."""
    Measurement.objects.create(name=name, value=value, labels=labels)
