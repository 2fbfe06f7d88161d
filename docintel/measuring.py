"""Record measured numbers. A name ends in its unit where it has one: `parse_seconds`."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from docintel.models import Measurement

# Longer than any report looks back.
KEPT = timedelta(days=120)


def record(name: str, value: float, **labels: str | float | bool | None) -> None:
    """Append one measurement; labels are small values that it can be grouped by."""
    Measurement.objects.create(name=name, value=value, labels=labels)


def forget_old() -> int:
    """Delete measurements older than `KEPT`; how many."""
    deleted, _ = Measurement.objects.filter(recorded_at__lt=timezone.now() - KEPT).delete()
    return deleted
