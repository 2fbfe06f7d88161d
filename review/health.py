"""Review's lines of the health report: what waits for experts, and whether it is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone

from docintel.doctor import Finding
from review.item_tables import ReviewItem

OLD = timedelta(days=30)


def findings() -> Iterator[Finding]:
    waiting = ReviewItem.objects.waiting().order_by()
    told = waiting.aggregate(n=Count("pk"), oldest=Min("created_at"))
    count, oldest = told["n"], told["oldest"]
    if not count:
        yield Finding("Review", ok=True, message="nothing waits for an expert")
    else:
        age = timezone.now() - oldest
        yield Finding(
            "Review",
            ok=age < OLD,
            message=f"{count:,} items wait for an expert, the oldest for {age.days} days",
            hint="have an expert go through the queue in the administration, or raise thresholds",
        )
    disputed = ReviewItem.objects.filter(state=ReviewItem.State.ADJUDICATE).count()
    if disputed:
        yield Finding(
            "Disagreements", ok=True, message=f"experts disagree about {disputed:,} items"
        )
